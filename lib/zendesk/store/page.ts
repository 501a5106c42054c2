import { sql } from "kysely";
import { columnList, type Sql } from "#lib/metrics/counts.ts";

/** The columns that a page brings: PostgreSQL's type and where a row has the value; long texts travel `joined`. */
export type PageColumns<Row> = Record<
  string,
  readonly [type: string, of: (row: Row) => unknown] | readonly [type: "text", of: (row: Row) => string, form: "joined"]
>;

/** A page as a table: one array a column, so that the number of bind parameters does not grow with the page (row 79). */
export function pageTable<Row>(columns: PageColumns<Row>, page: readonly Row[]): Sql {
  const arrays = Object.values(columns).map(([type, of, form]) => {
    const values = page.map((row) => of(row));
    return form === "joined" ? joinedTexts(values as string[]) : sql`${values}::${sql.raw(type)}[]`;
  });
  return sql`unnest(${sql.join(arrays)}) as page(${columnList(Object.keys(columns))})`;
}

/** ASCII's record separator. JSON allows it in no text but as an escape. */
const SEPARATOR = "\x1e";

/**
 * Texts as one parameter that the server takes apart: an array literal would have every quote of them escaped, which costs
 * more than all the rest of a page. A text that holds the separator nevertheless gets its escape. The empty text before
 * the first one tells a single empty text from none.
 */
function joinedTexts(values: readonly string[]): Sql {
  const texts = values.map((text) => (text.includes(SEPARATOR) ? text.replaceAll(SEPARATOR, "\\u001e") : text));
  return sql`(string_to_array(${["", ...texts].join(SEPARATOR)}::text, ${SEPARATOR}::text))[2:]`;
}

/** `a = excluded.a, …` for an upsert. */
export function overwritten(columns: readonly string[], keys: readonly string[] = ["id"]): Sql {
  const changing = columns.filter((column) => !keys.includes(column));
  return sql.raw(changing.map((column) => `${column} = excluded.${column}`).join(", "));
}

/** An instant as a bind parameter: the driver would write a Date in the process's own zone. */
export const instant = (at: Date | null): string | null => at?.toISOString() ?? null;

/**
 * Whether a page was asked for no sooner than the row `was` (row 19), by the database's clock; an instant that is still to come
 * was written before that clock was set back, and says nothing (row 47).
 */
export function isAskedNoSooner(fetchedAt: Date): Sql {
  return sql`(${instant(fetchedAt)}::timestamptz >= coalesce(was.fetched_at, '-infinity') or was.fetched_at > clock_timestamp())`;
}

/**
 * One row a key, as a page may name the same row twice (row 11): the highest version, and of equal versions the later one.
 */
export function latestVersions<Row>(
  rows: readonly Row[],
  key: (row: Row) => string,
  version: (row: Row) => number,
): Row[] {
  const latest = new Map<string, Row>();
  for (const row of rows) {
    const known = latest.get(key(row));
    if (known === undefined || version(row) >= version(known)) latest.set(key(row), row);
  }
  return [...latest.values()];
}

/** An array literal: arrays of different lengths go through `unnest` as text and are cast behind it. */
export function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
}
