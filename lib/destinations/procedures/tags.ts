import { findRow } from "#lib/destinations/procedures/rows.ts";
import type { Task } from "#lib/destinations/procedures/task.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Endpoint } from "#lib/zendesk/limits.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

type Tagged = "user" | "organization" | "ticket";

const endpoints: Record<Tagged, Endpoint> = {
  user: "user_update",
  organization: "organization_update",
  ticket: "ticket_update",
};

/**
 * Adds the tags that are not there, and gives the row with them. Writing all tags of a row would lose those that others gave it
 * meanwhile (row 98).
 */
export async function addTags(task: Task, kind: Tagged, id: string, row: Wire, tags: readonly string[]): Promise<Wire> {
  const had = tagsIn(row);
  const missing = tags.filter((tag) => !had.includes(tag));
  if (missing.length === 0) return row;
  try {
    await write(task, kind, id, "PUT", had, missing);
  } catch (error) {
    // An account without tags of its own for users and organizations takes them with the row only.
    if (kind === "ticket" || !(error instanceof ZendeskError) || error.status !== 404) throw error;
    await addWithRow(task, kind, id, missing);
  }
  return { ...row, tags: [...had, ...missing] };
}

/** Nothing keeps others from changing the tags in between: they are read right before. */
async function addWithRow(task: Task, kind: "user" | "organization", id: string, missing: string[]): Promise<void> {
  const path = `/api/v2/${kind}s/${id}`;
  const had = tagsIn((await findRow(task, `read tags of ${kind}`, path, kind)) ?? {});
  const tags = [...new Set([...had, ...missing])];
  await task.zendesk.write(
    `write tags of ${kind}`,
    "PUT",
    path,
    { [kind]: { tags } },
    {
      endpoint: endpoints[kind],
      target: id,
      expect: kind,
      intent: intentOf(kind, id, had, tags),
    },
  );
}

export async function removeTags(
  task: Task,
  kind: Tagged,
  id: string,
  row: Wire,
  tags: readonly string[],
): Promise<void> {
  const had = tagsIn(row);
  const present = tags.filter((tag) => had.includes(tag));
  if (present.length > 0) await write(task, kind, id, "DELETE", had, present);
}

async function write(
  task: Task,
  kind: Tagged,
  id: string,
  method: "PUT" | "DELETE",
  had: string[],
  tags: string[],
): Promise<void> {
  const after = method === "PUT" ? [...had, ...tags] : had.filter((tag) => !tags.includes(tag));
  const step = method === "PUT" ? `add tags to ${kind}` : `remove tags from ${kind}`;
  await task.zendesk.write(
    step,
    method,
    `/api/v2/${kind}s/${id}/tags`,
    { tags },
    {
      endpoint: endpoints[kind],
      target: id,
      expect: "tags",
      intent: intentOf(kind, id, had, after),
    },
  );
}

function intentOf(kind: Tagged, id: string, from: string[], to: string[]) {
  return {
    verb: "change" as const,
    what: `tags of ${kind} ${id}`,
    zendeskId: id,
    changes: [{ field: "tags", from, to }],
  };
}

export function tagsIn(row: Wire): string[] {
  return Array.isArray(row.tags) ? row.tags.map((tag) => String(tag).toLowerCase()) : [];
}
