import type { Selectable } from "kysely";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import type { StreamName, SyncMode } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import type { FailureWords } from "#lib/zendesk/failures.ts";
import type { Identity } from "#lib/zendesk/identity.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** One turn of a run: what its streams share. */
export interface Reading {
  db: Db;
  log: Context["log"];
  scope: Scope;
  connection: Selectable<ConnectionTable>;
  mode: SyncMode;
  runId: string;
  client: ZendeskClient;
  identity: Identity;
  /** The login sees less than when it was connected: nothing may be claimed fresh, nothing removed (row 63). */
  downgraded: boolean;
  fence: (trx: Trx) => Promise<void>;
  /** True: stop at this page boundary. */
  stop: () => boolean;
  clock: () => Date;
  sleep: (milliseconds: number) => Promise<void>;
  random: () => number;
  /** Requests already added to the run's count. */
  countedRequests: number;
}

/** What a stream came to in this turn. */
export interface StreamEnd {
  name: StreamName;
  state: "ok" | "degraded" | "not_available" | "failed" | "waiting";
  failure?: FailureWords;
}

const transactionAttempts = 6;

/**
 * Commits one unit of a run, under its lease: nothing of it stays if the lease was taken over. Deadlocks and
 * serialization failures are tried again (row 80); every other failure of the database ends the run (rows 78, 82).
 */
export async function commit<T>(reading: Reading, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inWorkspace(reading.db, reading.scope.workspaceId, async (trx) => {
        await reading.fence(trx);
        return work(trx);
      });
    } catch (error) {
      if (attempt >= transactionAttempts || !isDeadlock(error)) throw error;
      await reading.sleep(2 ** attempt * 20 * (1 + reading.random()));
    }
  }
}

/** Deadlocks, serialization failures and locks not had in time: the same transaction, tried again, may well go through (row 80). */
export function isDeadlock(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === "string" && /^(40(001|P01)|55P03)$/.test(code);
}

export function nowSecond(reading: Reading): number {
  return toSeconds(reading.client.serverNow());
}

export function uncountedRequests(reading: Reading): number {
  const fresh = reading.client.requests - reading.countedRequests;
  reading.countedRequests = reading.client.requests;
  return fresh;
}
