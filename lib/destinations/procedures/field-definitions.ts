import type { FieldDefinition } from "#lib/destinations/procedures/field-values.ts";
import { findRows, idIn } from "#lib/destinations/procedures/rows.ts";
import type { Task } from "#lib/destinations/procedures/task.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

export type FieldOwner = "user" | "organization" | "ticket";

/** A definition that somebody has just made may go unseen for so long (milliseconds). */
const keptFor = 60_000;
const mostKept = 1000;

/** Definitions as they were asked for last, by workspace, connection and owner. */
const kept = new Map<string, { until: number; definitions: readonly FieldDefinition[] }>();

/** The custom fields of users, organizations or tickets, asked of Zendesk at most once a minute, unless `anew`. */
export async function definitionsOf(
  task: Task,
  owner: FieldOwner,
  { anew }: { anew: boolean } = { anew: task.earlier.length > 0 },
): Promise<readonly FieldDefinition[]> {
  const now = task.clock().getTime();
  const name = `${task.scope.workspaceId}.${task.scope.connectionId}.${owner}`;
  const known = kept.get(name);
  if (known && !anew && known.until > now && known.until <= now + keptFor) return known.definitions;
  const key = `${owner}_fields`;
  const rows = await findRows(task, `read ${owner} fields`, `/api/v2/${key}`, key);
  const definitions = rows.filter((row) => owner !== "ticket" || row.removable !== false).map(read);
  if (kept.size >= mostKept) kept.clear();
  kept.set(name, { until: now + keptFor, definitions });
  return definitions;
}

function read(row: Wire): FieldDefinition {
  const options = Array.isArray(row.custom_field_options) ? row.custom_field_options.filter(isObject) : [];
  return {
    key: typeof row.key === "string" ? row.key : String(idIn(row)),
    title: String(row.title ?? ""),
    type: String(row.type ?? "text"),
    active: row.active !== false,
    options: options.map(({ name, value }) => ({ name: String(name ?? ""), value: String(value ?? "") })),
  };
}
