import type { Selectable } from "kysely";
import type { StreamStateTable } from "#db/schema.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { type Connection, type Failure, type StreamStatus, streamNames } from "#lib/connections/shapes.ts";
import type { ConnectionParts } from "#lib/connections/store/parts.ts";

/** The day on which Zendesk ends API tokens (row 61). */
export const apiTokensEndOn = "2027-04-30";

/** A connection as the API shows it: always all streams, never a secret. */
export function presentConnection(
  connection: StoredConnection,
  parts: ConnectionParts,
  fallback: { syncIntervalMinutes: number },
): Connection {
  return {
    id: String(connection.id),
    kind: "zendesk",
    name: connection.name,
    subdomain: connection.subdomain,
    access: connection.access as Connection["access"],
    state: connection.state as Connection["state"],
    failure: presentFailure(connection),
    streams: streamNames.map((name) => presentStream(name, parts)),
    matching: parts.matching,
    nextSyncAt: connection.next_sync_at?.toISOString() ?? null,
    pausedUntil: connection.paused_until?.toISOString() ?? null,
    disconnectedAt: connection.disconnected_at?.toISOString() ?? null,
    connectedBy: { email: connection.connected_by, zendeskEmail: connection.login_email },
    auth: {
      type: connection.auth_type as Connection["auth"]["type"],
      scopes: connection.scopes,
      expiresAt: connection.token_expires_at?.toISOString() ?? null,
      endsOn: connection.auth_type === "api_token" ? apiTokensEndOn : null,
    },
    historyDays: connection.history_days,
    eventHistoryDays: connection.event_history_days,
    syncIntervalMinutes: connection.sync_interval_minutes ?? fallback.syncIntervalMinutes,
    verified: connection.verified_at
      ? {
          at: connection.verified_at.toISOString(),
          tickets: Number(connection.verified_tickets ?? 0),
          repaired: Number(connection.verified_repaired ?? 0),
        }
      : null,
    absences: parts.absences,
    webhook: {
      state: parts.webhook?.state ?? "none",
      kind: parts.webhook?.kind ?? null,
      lastDeliveryAt: parts.webhook?.last_delivery_at?.toISOString() ?? null,
    },
    clockSkewSeconds: connection.clock_skew_seconds,
    createdAt: connection.created_at.toISOString(),
  };
}

function presentStream(name: StreamStatus["name"], { streams, rows, held }: ConnectionParts): StreamStatus {
  const stream = streams.get(name);
  return {
    name,
    state: (stream?.state ?? "waiting") as StreamStatus["state"],
    freshThrough: stream?.fresh_through?.toISOString() ?? null,
    lastRunAt: stream?.last_run_at?.toISOString() ?? null,
    failure: stream ? presentFailure(stream) : null,
    rows: rows.get(name) ?? 0,
    held: held.get(name) ?? 0,
  };
}

type FailureColumns = Pick<
  Selectable<StreamStateTable>,
  "failure_code" | "failure_message" | "failure_since" | "failure_action" | "updated_at"
>;

function presentFailure(row: FailureColumns): Failure | null {
  if (row.failure_code === null) return null;
  return {
    code: row.failure_code,
    message: row.failure_message ?? "",
    since: (row.failure_since ?? row.updated_at).toISOString(),
    action: row.failure_action ?? "",
  };
}
