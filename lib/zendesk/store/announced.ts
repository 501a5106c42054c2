import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { instant } from "#lib/zendesk/store/page.ts";

/** Streams of whose changes a webhook tells, and what a delivery calls their rows. */
const subjects: Partial<Record<StreamName, string>> = {
  tickets: "ticket",
  users: "user",
  organizations: "organization",
};

/**
 * Since when a working webhook tells of the rows of a stream without a break; null where none does. A trigger, and what a
 * person made, tells of tickets only.
 */
export async function toldSince(trx: Trx, scope: Scope, stream: StreamName): Promise<Date | null> {
  if (subjects[stream] === undefined) return null;
  const webhook = await trx
    .selectFrom("webhook")
    .select(["kind", "active_since as since"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("state", "=", "active")
    .executeTakeFirst();
  return webhook && (stream === "tickets" || webhook.kind === "events") ? webhook.since : null;
}

/** A change of a row; `at` in milliseconds by Zendesk's clock. */
export interface Change {
  id: string;
  at: number;
}

/**
 * Adds to the run's account of the stream of how many changes a delivery has told, and of how many none has. A delivery tells
 * of a change when it was sent no more than `slack` milliseconds before it. One look-up a change, in the index of the subjects.
 */
export async function countAnnounced(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  changes: readonly Change[],
  slack: number,
): Promise<void> {
  if (changes.length === 0) return;
  const { workspaceId, connectionId } = scope;
  const since = changes.map(({ at }) => instant(new Date(at - slack)));
  await sql`
    update sync_run_stream s
       set announced = s.announced + counted.told, unannounced = s.unannounced + counted.changes - counted.told
      from (select count(*) as changes, count(*) filter (where exists (
                     select from webhook_delivery d
                      where d.workspace_id = ${workspaceId}::int and d.connection_id = ${connectionId}::int
                        and d.subject = ${subjects[stream] ?? ""} and d.subject_id = change.id
                        and d.sent_at >= change.since)) as told
              from unnest(${changes.map(({ id }) => id)}::bigint[], ${since}::timestamptz[]) as change (id, since)) counted
     where s.workspace_id = ${workspaceId}::int and s.connection_id = ${connectionId}::int
       and s.run_id = ${runId}::bigint and s.stream = ${stream}`.execute(trx);
}
