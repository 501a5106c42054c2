import type { Task } from "#lib/destinations/procedures/task.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { Get } from "#lib/zendesk/client.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** No list that a command needs is longer than so many pages of a hundred. */
const mostPages = 100;

/** One row by its own address, or null. */
export async function findRow(task: Task, step: string, path: string, key: string): Promise<Wire | null> {
  const answer = await task.zendesk.find(step, path, { expect: key });
  const row = answer?.body[key];
  return isObject(row) ? row : null;
}

/** The rows of one answer; none where Zendesk knows no such place. */
export async function findRows(
  task: Task,
  step: string,
  path: string,
  key: string,
  query: NonNullable<Get["query"]> = {},
): Promise<Wire[]> {
  const answer = await task.zendesk.find(step, path, { expect: key, query });
  return rowsIn(answer?.body[key]);
}

/** All rows of a list by its cursor; null where Zendesk knows no such list. */
export async function findAll(
  task: Task,
  step: string,
  path: string,
  key: string,
  { query = {}, endpoint = "list" }: Pick<Get, "query" | "endpoint"> = {},
): Promise<Wire[] | null> {
  const rows: Wire[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= mostPages; page++) {
    const asked = { ...query, "page[size]": 100, "page[after]": cursor };
    const answer = await task.zendesk.find(step, path, { expect: key, query: asked, endpoint });
    if (!answer) return page === 1 ? null : rows;
    rows.push(...rowsIn(answer.body[key]));
    const meta = isObject(answer.body.meta) ? answer.body.meta : {};
    if (meta.has_more !== true) return rows;
    cursor = String(meta.after_cursor);
  }
  throw new ZendeskError({
    code: "protocol",
    message: `Zendesk's list ${path} does not end.`,
    action: "Try again later; if it lasts, look at the list in Zendesk.",
    scope: "stream",
    transient: true,
  });
}

function rowsIn(value: unknown): Wire[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Zendesk's ids are compared as text: those beyond 2^53 come as such. */
export function idIn(row: Wire, field = "id"): string | null {
  const value = row[field];
  return value === null || value === undefined || value === "" ? null : String(value);
}

export function isId(text: string): boolean {
  return /^\d{1,18}$/.test(text);
}

/** A number where that loses nothing: Zendesk takes ids as numbers. */
export function wireId(id: string): number | string {
  return isId(id) && Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

/** As Zendesk compares e-mails, external ids and names of organizations. */
export function isSameText(left: unknown, right: unknown): boolean {
  return typeof left === "string" && typeof right === "string" && left.toLowerCase() === right.toLowerCase();
}

/** Of a 422, whether it is because another row has this value of the field already. */
export function isTaken(error: unknown, field?: string): error is ZendeskError {
  if (!(error instanceof ZendeskError) || error.status !== 422) return false;
  return error.details.some(
    (words) =>
      (field === undefined || words.field === field) &&
      (words.error === "DuplicateValue" ||
        /already (being )?(used|taken|exists)|already been/i.test(words.description)),
  );
}
