/**
 * The instant of an HTTP date (`Mon, 02 Mar 2026 09:00:00 GMT`), in Unix milliseconds. Null for anything else: Date.parse would
 * take a bare number for a year. A form that names no zone (`Mon Mar  2 09:00:00 2026`) is UTC too, wherever this process is.
 */
export function parseHttpDate(header: string | string[] | undefined): number | null {
  const text = String(header ?? "").trim();
  if (!/^[A-Za-z]{3,9},? /.test(text)) return null;
  const at = Date.parse(/(\b[A-Z]{1,4}|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? null : at;
}
