import { parse } from "csv-parse/sync";
import { invalid } from "#lib/errors.ts";
import { formulaOriginal } from "#lib/reports/csv.ts";

/** One row of a corrected list: what a person says about one organization. */
export interface UploadedRow {
  line: number;
  organizationId: string;
  accountExternalId: string;
  /** `ignore`, `undo` (the keys decide again), or empty. */
  action: string;
}

const needed = ["organization_id", "account_external_id", "action"] as const;

/**
 * Reads the list of organizations as a spreadsheet gives it back: comma, semicolon or tab between cells, columns in any
 * order, others ignored. Throws `invalid` for a file that is not such a list; single rows are judged later.
 */
export function readDecisionList(bytes: Uint8Array): UploadedRow[] {
  const text = decoded(bytes);
  const header = text.slice(0, text.search(/\r|\n|$/));
  const delimiter = [",", ";", "\t"].find((mark) => header.split(mark).length >= needed.length) ?? ",";
  const records = parsed(text, delimiter);
  const columns = (records[0]?.record ?? []).map((name) => name.trim().toLowerCase());
  const missing = needed.filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw unreadable(
      `the first line lacks the column ${missing.join(", ")}: upload the file that the list gave, corrected`,
    );
  }
  const cell = (record: string[], name: (typeof needed)[number]) =>
    formulaOriginal(record[columns.indexOf(name)] ?? "").trim();
  return records.slice(1).map(({ record, line }) => ({
    line,
    organizationId: cell(record, "organization_id"),
    accountExternalId: cell(record, "account_external_id"),
    action: cell(record, "action").toLowerCase(),
  }));
}

/** Records with the line where each begins: a quoted cell may run over several. Empty lines are passed over. */
function parsed(text: string, delimiter: string): { record: string[]; line: number }[] {
  try {
    const records = parse(text, { delimiter, info: true, relax_column_count: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return records
      .map(({ record }, index) => ({ record, line: (records[index - 1]?.info.lines ?? 0) + 1 }))
      .filter(({ record }) => record.some((cell) => cell !== ""));
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : "it is not CSV");
  }
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable("its text is not UTF-8: save it as “CSV UTF-8”");
  }
}

function unreadable(why: string) {
  return invalid(`The file cannot be read: ${why}.`, [{ path: "body", message: why }]);
}
