import type { ChangeIndex } from "../world/change-index.ts";
import { MINUTE, seconds } from "../world/clock.ts";
import type { Id } from "../world/ids.ts";
import { type Answer, ok, refusal } from "./answer.ts";
import type { AccountRequest } from "./request.ts";

/** One stream of the incremental exports. */
export interface ExportStream<Row extends { id: Id | number }> {
  /** The key of the rows in the answer. */
  key: string;
  index: ChangeIndex<Row>;
  /** In whole seconds: what the export is ordered by. */
  stampOf: (row: Row) => number;
  shows: (row: Row) => boolean;
  write: (row: Row) => unknown;
  /** Arrays beside the rows, for `include=`. */
  sideload?: (rows: readonly Row[]) => Record<string, unknown>;
  /** Rows of the newest minute are kept back. */
  withheld: boolean;
}

/** `{rows, after_url, after_cursor, end_of_stream}`: each row once, from the one after the cursor on. */
export function cursorExport<Row extends { id: Id | number }>(
  request: AccountRequest,
  stream: ExportStream<Row>,
): Answer {
  const cursor = request.query.get("cursor");
  const from = cursor === null ? { stamp: startTime(request), id: undefined } : readCursor(cursor);
  const { rows, more } = collect(request, stream, stream.index.position(from.stamp, from.id), pageSize(request));
  const last = rows.at(-1);
  const after = last === undefined ? from : { stamp: stream.stampOf(last), id: String(last.id) };
  const afterCursor = writeCursor(after.stamp, after.id ?? "0");
  const ends = endOfStream(request, rows.length, more);
  return {
    ...ok({
      [stream.key]: rows.map(stream.write),
      ...stream.sideload?.(rows),
      after_url: cursorAddress(request, afterCursor),
      after_cursor: afterCursor,
      before_url: null,
      before_cursor: null,
      end_of_stream: ends,
    }),
    page: { next: afterCursor, last: ends },
  };
}

/** `{rows, count, end_time, next_page, end_of_stream}`: the boundary second comes again on the next page. */
export function timeExport<Row extends { id: Id | number }>(
  request: AccountRequest,
  stream: ExportStream<Row>,
): Answer {
  const start = startTime(request);
  const { settings } = request.world;
  const page = collect(request, stream, stream.index.position(start), pageSize(request));
  const first = page.rows[0];
  const last = page.rows.at(-1);
  let endTime = last === undefined ? (settings.emptyEndTime === "echo" ? start : null) : stream.stampOf(last);
  const full = page.rows.length >= pageSize(request);
  const oneSecond = first !== undefined && last !== undefined && stream.stampOf(first) === stream.stampOf(last);
  if (full && oneSecond && settings.overflowPage && endTime !== null) {
    page.more = growToWholeSecond(request, stream, page, endTime);
    endTime += 1;
  }
  const ends = endOfStream(request, page.rows.length, page.more);
  const next = new URLSearchParams(request.query);
  next.set("start_time", String(endTime ?? start));
  return {
    ...ok({
      [stream.key]: page.rows.map(stream.write),
      ...stream.sideload?.(page.rows),
      next_page: `${request.base}${request.path}.json?${next}`,
      count: page.rows.length,
      end_of_stream: ends,
      end_time: endTime,
    }),
    page: { next: String(endTime ?? start), last: ends },
  };
}

interface Page<Row> {
  rows: Row[];
  /** Something that may be shown follows. */
  more: boolean;
}

function collect<Row extends { id: Id | number }>(
  request: AccountRequest,
  stream: ExportStream<Row>,
  from: number,
  size: number,
): Page<Row> {
  const horizon = horizonOf(request, stream);
  const all = stream.index.all();
  const rows: Row[] = [];
  for (let position = from; position < all.length; position++) {
    const row = all[position] as Row;
    if (stream.stampOf(row) > horizon) break;
    if (!stream.shows(row)) continue;
    if (rows.length === size) return { rows, more: true };
    rows.push(row);
  }
  return { rows, more: false };
}

/** Adds the rest of the second that fills the page; answers whether anything follows it. */
function growToWholeSecond<Row extends { id: Id | number }>(
  request: AccountRequest,
  stream: ExportStream<Row>,
  page: Page<Row>,
  second: number,
): boolean {
  const horizon = horizonOf(request, stream);
  const all = stream.index.all();
  const last = page.rows.at(-1) as Row;
  for (let position = stream.index.position(second, String(last.id)); position < all.length; position++) {
    const row = all[position] as Row;
    if (stream.stampOf(row) > horizon) return false;
    if (!stream.shows(row)) continue;
    if (stream.stampOf(row) > second) return true;
    page.rows.push(row);
  }
  return false;
}

function horizonOf<Row extends { id: Id | number }>(request: AccountRequest, stream: ExportStream<Row>): number {
  const { world } = request;
  return seconds(world.now() - (stream.withheld ? world.settings.withheld : 0));
}

function endOfStream(request: AccountRequest, rows: number, more: boolean): boolean {
  if (request.world.settings.endOfStream === "late" && rows >= pageSize(request)) return false;
  return !more;
}

function startTime(request: AccountRequest): number {
  const text = request.query.get("start_time");
  if (text === null) throw refusal(400, "InvalidValue", "Missing parameter: start_time");
  const start = Number(text);
  if (text === "" || !Number.isInteger(start) || start < 0) {
    throw refusal(400, "InvalidValue", "Invalid value for parameter: start_time");
  }
  if (start > seconds(request.world.now() - MINUTE)) {
    throw refusal(422, "InvalidValue", "Too recent start_time. Use a start_time older than 60 seconds");
  }
  return start;
}

function pageSize(request: AccountRequest): number {
  const largestPage = request.world.settings.exportPage;
  const asked = Number(request.query.get("per_page") ?? largestPage);
  return Number.isInteger(asked) && asked > 0 ? Math.min(asked, largestPage) : largestPage;
}

function writeCursor(stamp: number, id: string): string {
  return Buffer.from(`${stamp}.0||${id}|`).toString("base64");
}

function readCursor(cursor: string): { stamp: number; id: string | undefined } {
  const match = /^(\d+)\.0\|\|(-?\d+)\|$/.exec(Buffer.from(cursor, "base64").toString("utf8"));
  if (match === null) throw refusal(400, "InvalidValue", "Invalid cursor");
  return { stamp: Number(match[1]), id: match[2] === "0" ? undefined : match[2] };
}

function cursorAddress(request: AccountRequest, cursor: string): string {
  const next = new URLSearchParams(request.query);
  next.delete("start_time");
  next.set("cursor", cursor);
  return `${request.base}${request.path}.json?${next}`;
}
