import type { Intent } from "#lib/destinations/attempt.ts";
import { isSameValue } from "#lib/destinations/procedures/field-values.ts";
import type { Task } from "#lib/destinations/procedures/task.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** What a field of a row is to be. `field`: a name of Zendesk's, or `user_fields.<key>`. `type`: how values of it are compared. */
export interface Wanted {
  field: string;
  value: unknown;
  type?: string;
}

export interface Change extends Wanted {
  from: unknown;
}

/** Only what differs is ever written. */
export function changesOf(row: Wire, wanted: readonly Wanted[]): Change[] {
  return wanted
    .map((one) => ({ ...one, from: valueIn(row, one.field) ?? null }))
    .filter((change) => !isAsWanted(row, change));
}

/** A command that comes behind a later one fills what is empty, and writes over nothing. */
export function leavingNewer({ isOvertaken, notes }: Pick<Task, "isOvertaken" | "notes">, changes: Change[]): Change[] {
  if (!isOvertaken) return changes;
  const [filled, left] = [true, false].map((isEmpty) =>
    changes.filter(({ from }) => (from === null || from === "") === isEmpty),
  ) as [Change[], Change[]];
  if (left.length > 0)
    notes.push(`A later call was done before: ${left.map(({ field }) => field).join(", ")} stayed as it is.`);
  return filled;
}

/** The changes as the body of a request has them, records nested. */
export function bodyOf(changes: readonly Wanted[]): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const { field, value } of changes) {
    const [record = field, key] = split(field);
    body[record] = key === undefined ? value : { ...(body[record] as object | undefined), [key]: value };
  }
  return body;
}

/** What a person is told of a write beforehand. */
export function intentOf(verb: Intent["verb"], what: string, id: string | null, changes: readonly Wanted[]): Intent {
  return {
    verb,
    what,
    zendeskId: id,
    changes: changes.map((change) => ({
      field: change.field,
      from: (change as Partial<Change>).from ?? null,
      to: change.value,
    })),
  };
}

function isAsWanted(row: Wire, { field, value, type }: Wanted): boolean {
  const is = valueIn(row, field);
  if (type !== undefined) return isSameValue(type, is, value);
  if (caseless.includes(field)) return String(is ?? "").toLowerCase() === String(value ?? "").toLowerCase();
  return String(is ?? "") === String(value ?? "");
}

const caseless = ["email", "external_id"];

function valueIn(row: Wire, field: string): unknown {
  const [record = field, key] = split(field);
  if (key === undefined) return row[record];
  const values = row[record];
  // A field may have a name that every object knows, such as “constructor”.
  return isObject(values) && Object.hasOwn(values, key) ? values[key] : undefined;
}

function split(field: string): string[] {
  const dot = field.indexOf(".");
  return dot === -1 ? [field] : [field.slice(0, dot), field.slice(dot + 1)];
}
