import { type Answer, listedRefusal, ok, refusal } from "./answer.ts";
import type { AccountRequest } from "./request.ts";

/** A list endpoint: its rows in order, already narrowed to what the request asks for. */
export interface ListSource<Row> {
  key: string;
  rows: readonly Row[];
  /** What the cursor remembers of a row: unique, and growing along `rows`. */
  positionOf: (row: Row) => string;
  /** Orders two remembered positions as `rows` does. */
  compare: (left: string, right: string) => number;
  write: (row: Row) => unknown;
  /** Rows by offset when nothing else is asked; `whole` lists come in one answer. Default `offset`. */
  unpaged?: "offset" | "whole";
}

const largestPage = 100;
const deepestRecord = 10_000;

/** Cursor paging when `page[size]` is given, else offset paging, else the whole list where an endpoint has no pages. */
export function listAnswer<Row>(request: AccountRequest, source: ListSource<Row>): Answer {
  const { query } = request;
  if (query.has("page[size]") || query.has("page[after]") || query.has("page[before]"))
    return byCursor(request, source);
  if (source.unpaged === "whole") return wholeList(source);
  return byOffset(request, source);
}

function wholeList<Row>(source: ListSource<Row>): Answer {
  const rows = source.rows.map(source.write);
  return ok({ [source.key]: rows, next_page: null, previous_page: null, count: rows.length });
}

function byCursor<Row>(request: AccountRequest, source: ListSource<Row>): Answer {
  const { query } = request;
  const size = cursorSize(query.get("page[size]"));
  const after = query.get("page[after]");
  const before = query.get("page[before]");
  if (after !== null && before !== null) {
    throw listedRefusal(400, "InvalidPaginationParameter", "page[after] and page[before] cannot be used together");
  }
  const start = after !== null ? firstAfter(source, readPosition(after)) : 0;
  const end = before !== null ? firstAt(source, readPosition(before)) : source.rows.length;
  const rows =
    before !== null ? source.rows.slice(Math.max(0, end - size), end) : source.rows.slice(start, start + size);
  const hasMore = before !== null ? end - size > 0 : followsMore(request, rows.length, size, start, source.rows.length);
  const first = rows[0];
  const last = rows.at(-1);
  const afterCursor = last === undefined ? null : writePosition(source.positionOf(last));
  const beforeCursor = first === undefined ? null : writePosition(source.positionOf(first));
  return {
    ...ok({
      [source.key]: rows.map(source.write),
      meta: { has_more: hasMore, after_cursor: afterCursor, before_cursor: beforeCursor },
      links: {
        prev: beforeCursor && listAddress(request, "page[before]", beforeCursor),
        next: afterCursor && listAddress(request, "page[after]", afterCursor),
      },
    }),
    page: { next: afterCursor ?? "", last: !hasMore },
  };
}

/** Accounts that end late promise another page after a full one, and then it is empty. */
function followsMore(request: AccountRequest, shown: number, size: number, start: number, total: number): boolean {
  return request.world.settings.endOfStream === "late" ? shown === size : start + size < total;
}

function byOffset<Row>(request: AccountRequest, source: ListSource<Row>): Answer {
  const { query } = request;
  const size = offsetSize(query.get("per_page"));
  const page = Math.max(1, Number.parseInt(query.get("page") ?? "1", 10) || 1);
  if (page * size > deepestRecord) {
    throw listedRefusal(
      400,
      "InvalidPaginationDepth",
      "Number of records exceeds the 10,000 limit of offset pagination",
    );
  }
  const rows = source.rows.slice((page - 1) * size, page * size);
  const more = page * size < source.rows.length;
  const address = (number: number): string => listAddress(request, "page", String(number));
  return {
    ...ok({
      [source.key]: rows.map(source.write),
      next_page: more ? address(page + 1) : null,
      previous_page: page > 1 ? address(page - 1) : null,
      count: source.rows.length,
    }),
    page: { next: String(page + 1), last: !more },
  };
}

/** `…/count`; while the account still counts, nobody knows when it was refreshed. */
export function countAnswer(request: AccountRequest, value: number): Answer {
  const pending = request.world.settings.countsPending;
  const refreshedAt = pending ? null : new Date(request.world.now()).toISOString();
  return ok({ count: { value, refreshed_at: refreshedAt } });
}

function cursorSize(text: string | null): number {
  const size = Number(text ?? largestPage);
  if (!Number.isInteger(size) || size < 1 || size > largestPage) {
    throw listedRefusal(400, "InvalidPaginationParameter", "page[size] must be between 1 and 100");
  }
  return size;
}

function offsetSize(text: string | null): number {
  const size = Number.parseInt(text ?? String(largestPage), 10);
  return Number.isInteger(size) && size > 0 ? Math.min(size, largestPage) : largestPage;
}

/** Index of the first row after a remembered position, which itself may be gone by now. */
function firstAfter<Row>(source: ListSource<Row>, position: string): number {
  return search(source, (row) => source.compare(source.positionOf(row), position) > 0);
}

function firstAt<Row>(source: ListSource<Row>, position: string): number {
  return search(source, (row) => source.compare(source.positionOf(row), position) >= 0);
}

function search<Row>(source: ListSource<Row>, reached: (row: Row) => boolean): number {
  let low = 0;
  let high = source.rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reached(source.rows[middle] as Row)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function writePosition(position: string): string {
  return Buffer.from(JSON.stringify({ o: "id", v: position })).toString("base64");
}

function readPosition(cursor: string): string {
  try {
    const { v } = JSON.parse(Buffer.from(cursor, "base64").toString("utf8")) as { v?: unknown };
    if (typeof v === "string") return v;
  } catch {
    // Falls through to the refusal: whatever it was, it is no cursor of ours.
  }
  throw refusal(400, "InvalidPaginationParameter", "Invalid cursor");
}

function listAddress(request: AccountRequest, name: string, value: string): string {
  const query = new URLSearchParams(request.query);
  for (const other of ["page[after]", "page[before]", "page"]) query.delete(other);
  query.set(name, value);
  const suffix = request.hadSuffix ? ".json" : "";
  return `${request.base}${request.path}${suffix}?${query}`;
}
