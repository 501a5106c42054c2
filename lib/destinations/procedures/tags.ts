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

/** Adds the tags that are not there. Writing all tags of a row would lose those that others gave it meanwhile (row 98). */
export async function addTags(task: Task, kind: Tagged, id: string, row: Wire, tags: readonly string[]): Promise<void> {
  const had = tagsIn(row);
  const missing = tags.filter((tag) => !had.includes(tag));
  if (missing.length === 0) return;
  try {
    await write(task, kind, id, "PUT", missing);
  } catch (error) {
    // An account without tags of its own for users and organizations takes them with the row only.
    if (kind === "ticket" || !(error instanceof ZendeskError) || error.status !== 404) throw error;
    await task.zendesk.write(
      `write tags of ${kind}`,
      "PUT",
      `/api/v2/${kind}s/${id}`,
      { [kind]: { tags: [...had, ...missing] } },
      {
        endpoint: endpoints[kind],
        target: id,
        expect: kind,
        intent: intentOf(kind, id, "PUT", missing),
      },
    );
  }
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
  if (present.length > 0) await write(task, kind, id, "DELETE", present);
}

async function write(task: Task, kind: Tagged, id: string, method: "PUT" | "DELETE", tags: string[]): Promise<void> {
  const step = method === "PUT" ? `add tags to ${kind}` : `remove tags from ${kind}`;
  await task.zendesk.write(
    step,
    method,
    `/api/v2/${kind}s/${id}/tags`,
    { tags },
    {
      endpoint: endpoints[kind],
      target: id,
      intent: intentOf(kind, id, method, tags),
    },
  );
}

function intentOf(kind: Tagged, id: string, method: "PUT" | "DELETE", tags: string[]) {
  const [from, to] = method === "PUT" ? [null, tags] : [tags, null];
  return {
    verb: "change" as const,
    what: `tags of ${kind} ${id}`,
    zendeskId: id,
    changes: [{ field: "tags", from, to }],
  };
}

function tagsIn(row: Wire): string[] {
  return Array.isArray(row.tags) ? row.tags.map((tag) => String(tag).toLowerCase()) : [];
}
