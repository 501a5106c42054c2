import { stringify } from "csv-stringify/sync";

/** Fields of CSV answers. Text may be anything that Zendesk holds, so no cell may start a formula (row 116). */
export type Cell = string | number | boolean | null;

/**
 * Text as a spreadsheet may open it: an apostrophe before whatever it could take for a formula. Plain numbers stay
 * numbers. `formulaOriginal` is the inverse.
 */
export function formulaSafe(text: string): string {
  return startsFormula(text) ? `'${text}` : text;
}

/** What a cell said before `formulaSafe`. */
export function formulaOriginal(cell: string): string {
  return cell.startsWith("'") && startsFormula(cell.slice(1)) ? cell.slice(1) : cell;
}

/** Apostrophes of its own count as part of the danger: else the inverse would take one away that was always there. */
function startsFormula(text: string): boolean {
  const bare = text.replace(/^'+/, "");
  if (/^-?[0-9]+([.,][0-9]+)?$/.test(bare)) return false;
  const seen = bare.normalize("NFKC");
  return /^[\t\r\n]/.test(seen) || /^[=+\-@|]/.test(seen.replace(/^[\s\p{Cf}]+/u, ""));
}

/** Lines of a CSV file, every cell quoted. */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === "string" ? formulaSafe(cell) : String(cell ?? ""))),
  );
  return stringify(cells, { quoted: true, quoted_empty: true, record_delimiter: "\r\n" });
}

/**
 * A download that is written while it is read: `batches` is asked for the next rows when the client has taken the last.
 * The first batch is made before the answer begins, so that an error still becomes a status.
 */
export async function csvResponse(
  fileName: string,
  header: readonly string[],
  batches: AsyncGenerator<readonly (readonly Cell[])[]>,
): Promise<Response> {
  const encoder = new TextEncoder();
  let next = await batches.next();
  let begun = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!begun) {
        begun = true;
        controller.enqueue(encoder.encode(csvLines([header])));
        return;
      }
      if (next.done) return controller.close();
      const lines = csvLines(next.value);
      next = await batches.next();
      controller.enqueue(encoder.encode(lines));
    },
    async cancel() {
      await batches.return(undefined);
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="${fileName.replaceAll(/[^A-Za-z0-9._-]+/g, "-")}"`,
    },
  });
}
