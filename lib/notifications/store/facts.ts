import type { Trx } from "#db/client.ts";
import { liveRuns } from "#lib/connections/overdue.ts";
import type { ConnectionFacts, Failure, StreamFacts } from "#lib/notifications/facts.ts";
import { latestDrift } from "#lib/reports/ledger.ts";
import { newestAnnounced } from "#lib/webhooks/lost.ts";

/** States of connections that can be seen; the others are gone. */
const shownStates = ["active", "failing", "paused", "disconnected", "archived"];

/** What notices are judged by, for every connection of a workspace, but for what writes through it. */
export async function readFacts(trx: Trx, workspaceId: number): Promise<Omit<ConnectionFacts, "destinations">[]> {
  const connections = await trx
    .selectFrom("connection as c")
    .innerJoin("workspace as w", "w.id", "c.workspace_id")
    .leftJoin("webhook as h", (join) =>
      join.onRef("h.workspace_id", "=", "c.workspace_id").onRef("h.connection_id", "=", "c.id"),
    )
    .select([
      "c.id",
      "c.name",
      "c.state",
      "c.failure_code as code",
      "c.failure_message as message",
      "c.failure_action as action",
      "c.auth_type as authType",
      "c.login_ends_at as loginEndsAt",
      "c.clock_skew_seconds as clockSkewSeconds",
      "c.sync_interval_minutes as ownInterval",
      "w.sync_interval_minutes as interval",
      "h.state as webhookState",
      "h.failure_code as webhookCode",
      "h.failure_message as webhookMessage",
      "h.failure_action as webhookAction",
      "h.checked_at as checkedAt",
      "h.active_since as activeSince",
    ])
    .where("c.workspace_id", "=", workspaceId)
    .where("c.state", "in", shownStates)
    .orderBy("c.id")
    .execute();
  const streams = await readStreams(trx, workspaceId);
  const absences = await readHeldAbsences(trx, workspaceId);
  const live = await liveRuns(trx, workspaceId);
  const drift = await latestDrift(trx, workspaceId);
  const announced = await newestAnnounced(trx, workspaceId);
  return connections.map((row) => ({
    connectionId: row.id,
    name: row.name,
    state: row.state,
    failure: failureOf(row.code, row.message, row.action),
    authType: row.authType,
    loginEndsAt: row.loginEndsAt,
    clockSkewSeconds: row.clockSkewSeconds,
    intervalMinutes: row.ownInterval ?? row.interval,
    streams: streams.get(row.id) ?? [],
    liveRun: live.get(row.id) ?? null,
    drift: drift.filter(({ connectionId }) => connectionId === row.id),
    heldAbsences: absences.get(row.id) ?? 0,
    webhook: row.webhookState
      ? {
          state: row.webhookState,
          failure: failureOf(row.webhookCode, row.webhookMessage, row.webhookAction),
          checkedAt: row.checkedAt,
          activeSince: row.activeSince,
          announced: announced.get(row.id) ?? null,
        }
      : null,
  }));
}

/** By connection. A stream that is read under another purpose just now moves too. */
async function readStreams(trx: Trx, workspaceId: number): Promise<Map<number, StreamFacts[]>> {
  const rows = await trx
    .selectFrom("stream_state")
    .select([
      "connection_id",
      "stream",
      "purpose",
      "state",
      "fresh_through",
      "updated_at",
      "failure_code",
      "failure_message",
      "failure_action",
    ])
    .where("workspace_id", "=", workspaceId)
    .orderBy("connection_id")
    .orderBy("stream")
    .execute();
  // A connection reads its streams one after the other: while one moves, the others wait for it, not for us.
  const moved = new Map<number, Date>();
  for (const { connection_id: id, updated_at: at } of rows) {
    if (at > (moved.get(id) ?? new Date(0))) moved.set(id, at);
  }
  const streams = new Map<number, StreamFacts[]>();
  for (const row of rows.filter(({ purpose }) => purpose === "incremental")) {
    const stream = {
      name: row.stream,
      state: row.state,
      freshThrough: row.fresh_through,
      movedAt: moved.get(row.connection_id) ?? row.updated_at,
      failure: failureOf(row.failure_code, row.failure_message, row.failure_action),
    };
    streams.set(row.connection_id, [...(streams.get(row.connection_id) ?? []), stream]);
  }
  return streams;
}

async function readHeldAbsences(trx: Trx, workspaceId: number): Promise<Map<number, number>> {
  const rows = await trx
    .selectFrom("absence")
    .select((eb) => ["connection_id", eb.fn.countAll<string>().as("count")])
    .where("workspace_id", "=", workspaceId)
    .where("held", "=", true)
    .groupBy("connection_id")
    .execute();
  return new Map(rows.map((row) => [row.connection_id, Number(row.count)]));
}

function failureOf(code: string | null, message: string | null, action: string | null): Failure | null {
  return code === null ? null : { code, message: message ?? "", action: action ?? "" };
}
