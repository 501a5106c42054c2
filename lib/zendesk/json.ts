const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The shortest run of digits that may pass 2^53. */
const LONG = 16;

/**
 * Parses a whole JSON text without losing a digit: integers beyond 2^53 come as strings of digits (row 52). Keys such as
 * `__proto__` stay plain own keys, as in JSON.parse (row 58b). Throws SyntaxError for anything but one complete value.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(hasLongNumber(text) ? quoteLongIntegers(text) : text);
}

/** Looks at every 16th character only: a run of 16 digits cannot hide between two of them. */
function hasLongNumber(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let start = at;
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--;
    let end = at + 1;
    while (isDigit(text.charCodeAt(end))) end++;
    if (end - start >= LONG && standsAsNumber(text, start)) return true;
    at = Math.max(at, end - LONG);
  }
  return false;
}

/** Whether the run may be a number rather than part of a text. A text that looks like one only costs the slow path. */
function standsAsNumber(text: string, start: number): boolean {
  let before = start - 1;
  if (text[before] === "-") before--;
  while (before >= 0 && " \n\r\t".includes(text[before] as string)) before--;
  return before < 0 || ":,[".includes(text[before] as string);
}

function quoteLongIntegers(text: string): string {
  const parts: string[] = [];
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (code === 0x2d || isDigit(code)) {
      const end = endOfNumber(text, at);
      const number = text.slice(at, end);
      if (end - at >= LONG && /^-?\d+$/.test(number) && !Number.isSafeInteger(Number(number))) {
        parts.push(text.slice(copied, at), `"${number}"`);
        copied = end;
      }
      at = end;
    } else {
      at++;
    }
  }
  return parts.join("") + text.slice(copied);
}

/** The position after the closing quote. */
function endOfString(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  return text.length;
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && (isDigit(text.charCodeAt(end)) || ".eE+-".includes(text[end] as string))) end++;
  return end;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/**
 * The text of each row as it came, cut out of the page: writing 1000 rows out again costs more than parsing them.
 * A row begins with its own address (`{"url":"…/42"`), which no other object of a page does; where rows do not, or where
 * the page is not compact, the row is written out.
 */
export function rowTexts(page: string, rows: readonly object[]): string[] {
  const starts = rowStarts(page, rows);
  const end = starts && endOfRows(page, starts, rows);
  if (!starts || !end) return rows.map((row) => writeOut(row));
  return starts.map((start, index) => page.slice(start, (starts[index + 1] ?? end + 1) - 1));
}

function rowStarts(page: string, rows: readonly object[]): number[] | null {
  const starts: number[] = [];
  let from = 0;
  for (const row of rows) {
    const { url, id } = (row ?? {}) as { url?: unknown; id?: unknown };
    if (typeof url !== "string" || !(url.endsWith(`/${id}`) || url.endsWith(`/${id}.json`))) return null;
    const start = page.indexOf(`{"url":${JSON.stringify(url)}`, from);
    const before = page[start - 1];
    if (start < 1 || (starts.length === 0 ? before !== "[" : before !== "," || page[start - 2] !== "}")) return null;
    starts.push(start);
    from = start + 1;
  }
  return starts;
}

/** The position after the last row: its length is that of its own writing, which must stand there. */
function endOfRows(page: string, starts: number[], rows: readonly object[]): number | null {
  const last = rows.at(-1);
  const start = starts.at(-1);
  if (last === undefined || start === undefined) return null;
  const written = JSON.stringify(last);
  return page.startsWith(written, start) ? start + written.length : null;
}

/** A row of any depth as text; one too deep to write gives its id and a word about it. */
export function writeOut(row: unknown): string {
  try {
    return JSON.stringify(row) ?? "null";
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return JSON.stringify({ id: (row as { id?: unknown } | null)?.id, unreadable: "nested too deeply" });
  }
}
