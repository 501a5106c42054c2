import { type Db, inWorkspace } from "#db/client.ts";
import { AppError, invalid } from "#lib/errors.ts";
import { formulaOriginal } from "#lib/reports/csv.ts";
import { bodyWords, type FieldWords, type Judged, judgeAccount } from "./account-row.ts";
import { type CsvRecord, csvRecords, withUpload } from "./csv-file.ts";
import type { BulkAnswer } from "./shapes.ts";
import { type Candidate, upsertBatches } from "./upsert.ts";

const MOST_COLUMNS = 200;
const MOST_ROWS = 1_000_000;
const BATCH = 5000;

const required = ["external_id", "name"];
const ownColumns = [...required, "owner_email"];
const fileWords: FieldWords = {
  ...bodyWords,
  externalId: "external_id",
  ownerEmail: "owner_email",
  attribute: (key) => `Column ${JSON.stringify(key)}`,
};

/**
 * Creates and updates accounts from a CSV file: `external_id,name,owner_email`, every other column an attribute. All in one
 * transaction: a file that cannot be read to its end changes nothing, and a row that is wrong is refused with its line.
 */
export function importAccounts(
  db: Db,
  workspaceId: number,
  body: ReadableStream<Uint8Array> | null,
  now: Date,
): Promise<BulkAnswer> {
  if (body === null) throw emptyFile();
  return withUpload(body, (file) =>
    inWorkspace(db, workspaceId, (trx) => upsertBatches(trx, workspaceId, batchesOf(csvRecords(file)), now)),
  );
}

async function* batchesOf(records: AsyncGenerator<CsvRecord>): AsyncGenerator<Candidate[]> {
  const first = await records.next();
  if (first.done) throw emptyFile();
  const columns = columnsOf(first.value.cells);
  let batch: Candidate[] = [];
  let index = 0;
  for await (const record of records) {
    if (index >= MOST_ROWS)
      throw new AppError(
        "too_large",
        `The file has more than ${MOST_ROWS.toLocaleString("en")} rows. Send it in parts.`,
      );
    batch.push({ index, line: record.line, judged: judgeRecord(columns, record.cells) });
    index++;
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

/** The names of the columns, checked. */
function columnsOf(header: string[]): string[] {
  if (header.length > MOST_COLUMNS)
    throw wrongHeader(
      `The header has ${header.length.toLocaleString("en")} columns; at most ${MOST_COLUMNS} are taken.`,
    );
  const columns = header.map((cell) => {
    const name = formulaOriginal(cell).trim();
    return ownColumns.includes(name.toLowerCase()) ? name.toLowerCase() : name;
  });
  const missing = required.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw wrongHeader(`The header lacks ${missing.join(" and ")}. ${found(columns)}`);
  const nameless = columns.indexOf("");
  if (nameless >= 0)
    throw wrongHeader(`Column ${nameless + 1} of the header has no name: name it or take the column out.`);
  const repeated = columns.find((name, index) => columns.indexOf(name) !== index);
  if (repeated !== undefined) throw wrongHeader(`The header names ${JSON.stringify(repeated)} twice.`);
  return columns;
}

function found(columns: string[]): string {
  const only = columns.length === 1 ? (columns[0] ?? "") : "";
  const separator = [";", "\t", "|"].find((character) => only.includes(character));
  if (separator)
    return `Its columns seem to be separated by ${separator === "\t" ? "tabs" : `“${separator}”`}: separate them by commas.`;
  const names = columns.map((name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name)).slice(0, 20);
  return `Found: ${names.join(", ")}${columns.length > 20 ? ", …" : ""}. Begin the file with external_id,name,owner_email.`;
}

function judgeRecord(columns: string[], cells: string[]): Judged {
  const row = new Map(columns.map((column, index) => [column, formulaOriginal(cells[index] ?? "")]));
  const externalId = row.get("external_id") ?? null;
  if (cells.length !== columns.length) {
    return { externalId, problem: `The row has ${countOf(cells.length)}, the header has ${columns.length}.` };
  }
  const owner = row.get("owner_email");
  const attributes = columns
    .filter((column) => !ownColumns.includes(column))
    .map((column) => [column, row.get(column)]);
  const value = {
    externalId,
    name: row.get("name"),
    ownerEmail: owner?.trim() === "" ? null : owner,
    attributes: Object.fromEntries(attributes),
  };
  return judgeAccount(value, fileWords);
}

function countOf(cells: number): string {
  return cells === 1 ? "1 column" : `${cells} columns`;
}

function emptyFile(): AppError {
  return wrongHeader("The file is empty. Begin it with a header: external_id,name,owner_email.");
}

function wrongHeader(message: string): AppError {
  return invalid(message, [{ path: "header", message }]);
}
