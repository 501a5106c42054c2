import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import {
  beat,
  fence,
  type Lease,
  LeaseLost,
  revokeLease,
  ServerRestarted,
  takeLease,
  usualTimes,
} from "#lib/jobs/lease.ts";
import { freeLease } from "#lib/jobs/store/leases.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { eventually } from "#test/connections/ground.ts";
import { bareConnection, holder } from "#test/jobs/ground.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();

const take = (scope: Scope, by = holder()) =>
  database.inWorkspace(scope.workspaceId, (trx) => takeLease(trx, scope, by));
const commit = (lease: Lease) => database.inWorkspace(lease.workspaceId, (trx) => fence(trx, lease));
const giveBack = (lease: Lease) => database.inWorkspace(lease.workspaceId, (trx) => freeLease(trx, lease));
const fallSilent = (scope: Scope, seconds: number) =>
  database.inWorkspace(scope.workspaceId, (trx) =>
    trx
      .updateTable("connection_lease")
      .set({ heartbeat_at: sql<Date>`clock_timestamp() - make_interval(secs => ${seconds})` })
      .where("connection_id", "=", scope.connectionId)
      .execute(),
  );
async function held(scope: Scope, by = holder()): Promise<Lease> {
  const lease = await take(scope, by);
  if (!lease) throw new Error("The lease was not free.");
  return lease;
}

describe("a lease", () => {
  test("is held by one process; the others get nothing while it lives", async () => {
    const scope = await bareConnection(database, await database.workspace());
    await held(scope);
    expect(await take(scope)).toBeNull();
    await fallSilent(scope, 70);
    expect(await take(scope)).toBeNull();
  });

  test("is taken by one of many that ask at once", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const got = await Promise.all(Array.from({ length: 8 }, () => take(scope)));
    expect(got.filter(Boolean)).toHaveLength(1);
  });

  test("is taken over after 75 seconds of silence, and the first holder's commits fail from then on", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await held(scope);
    await commit(first);
    await fallSilent(scope, 76);
    const second = await held(scope);
    await expect(commit(first)).rejects.toThrow(LeaseLost);
    await expect(commit(second)).resolves.toBeUndefined();
    expect(BigInt(second.epoch)).toBeGreaterThan(BigInt(first.epoch));
  });

  test("lets nobody go on from what another server confirmed, or the same one before it was started anew", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const lease = await held(scope);
    await expect(commit({ ...lease, serverStart: "1767225600.000001" })).rejects.toThrow(ServerRestarted);
    // The server that lost what it had confirmed may give the same epoch again, to another.
    const former = { ...lease, holder: "former" };
    await expect(commit(former)).rejects.toThrow(LeaseLost);
    expect(await beat(database.db, [former])).toEqual([former]);
    await giveBack(former);
    await expect(commit(lease)).resolves.toBeUndefined();
  });

  test("is taken from a dead process of the same installation at once", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await held(scope, holder({ instance: "same", pid: 2 ** 22 + 1 }));
    expect(await take(scope, holder({ instance: "other" }))).toBeNull();
    await held(scope, holder({ instance: "same" }));
    await expect(commit(first)).rejects.toThrow(LeaseLost);
  });

  test("is free again once it is given back, and giving back a lost one changes nothing", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await held(scope);
    await giveBack(first);
    const second = await held(scope);
    await giveBack(first);
    await expect(commit(second)).resolves.toBeUndefined();
  });

  test("says with each heartbeat which leases were lost", async () => {
    const workspace = await database.workspace();
    const [kept, lost] = [await bareConnection(database, workspace), await bareConnection(database, workspace)];
    const leases = [await held(kept), await held(lost)];
    await fallSilent(kept, 60);
    await database.inWorkspace(workspace, (trx) => revokeLease(trx, lost));
    expect(await beat(database.db, leases)).toEqual([leases[1]]);
    const { silent } = await database.inWorkspace(workspace, (trx) =>
      trx
        .selectFrom("connection_lease")
        .select(sql<boolean>`heartbeat_at < clock_timestamp() - interval '30 seconds'`.as("silent"))
        .where("connection_id", "=", kept.connectionId)
        .executeTakeFirstOrThrow(),
    );
    expect(silent).toBe(false);
  });

  /** Does `work` in a transaction of the connection and keeps that open until `end`. */
  async function heldOpen(scope: Scope, work: (trx: Trx) => Promise<void>) {
    let end = () => {};
    const told = new Promise<void>((resolve) => {
      end = resolve;
    });
    let worked = () => {};
    const isOpen = new Promise<void>((resolve) => {
      worked = resolve;
    });
    const done = database.inWorkspace(scope.workspaceId, async (trx) => {
      await work(trx);
      worked();
      await told;
    });
    await Promise.race([isOpen, done]);
    return { done, end };
  }
  /** Returns when a transaction of this database waits for another one's lock. */
  const someoneWaits = () =>
    eventually(async () => {
      const { rows } = await sql`select from pg_locks l join pg_stat_activity a using (pid)
        where not l.granted and a.datname = current_database()`.execute(database.db);
      return rows.length > 0 ? true : null;
    }, "a transaction that waits for a lock");

  test.each([
    ["is silent", (scope: Scope) => take(scope)],
    ["is told to stop", (scope: Scope) => database.inWorkspace(scope.workspaceId, (trx) => revokeLease(trx, scope))],
  ])(
    "of a holder that %s is not moved before the page that checked it has ended, heartbeats or not",
    async (_, move) => {
      const scope = await bareConnection(database, await database.workspace());
      const first = await held(scope);
      await fallSilent(scope, 80);
      const page = await heldOpen(scope, (trx) => fence(trx, first));
      let moved = false;
      const moving = move(scope).then(() => {
        moved = true;
      });
      await someoneWaits();
      expect(await beat(database.db, [first])).toEqual([]);
      expect(moved).toBe(false);
      page.end();
      await Promise.all([page.done, moving]);
    },
  );

  test("that was given a heartbeat in the middle of a page is still guarded by that page", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await held(scope);
    const page = await heldOpen(scope, (trx) => fence(trx, first));
    expect(await beat(database.db, [first])).toEqual([]);
    let moved = false;
    const moving = database
      .inWorkspace(scope.workspaceId, (trx) => revokeLease(trx, scope))
      .then(() => {
        moved = true;
      });
    await someoneWaits();
    expect(moved).toBe(false);
    page.end();
    await Promise.all([page.done, moving]);
    await expect(commit(first)).rejects.toThrow(LeaseLost);
  });

  test("that is being taken over lets no page begin: it waits, and then is refused", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await held(scope);
    const takeover = await heldOpen(scope, (trx) => revokeLease(trx, scope));
    const page = commit(first).catch((error: unknown) => error);
    await someoneWaits();
    takeover.end();
    await takeover.done;
    expect(await page).toBeInstanceOf(LeaseLost);
  });

  test("about which somebody decides for long holds up no other's heartbeat", async () => {
    const workspace = await database.workspace();
    const [decided, other] = [await bareConnection(database, workspace), await bareConnection(database, workspace)];
    const leases = [await held(decided), await held(other)];
    await fallSilent(other, 60);
    const decision = await heldOpen(decided, (trx) => revokeLease(trx, decided));
    expect(await beat(database.db, leases)).toEqual([]);
    expect(await take(other)).toBeNull();
    decision.end();
    await decision.done;
    expect(await beat(database.db, leases)).toEqual([leases[0]]);
  });

  test("is let go by the server when its holder stands still in a commit, before its silence is over", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const lease = await held(scope);
    const { rows } = await database.inWorkspace(scope.workspaceId, async (trx) => {
      await fence(trx, lease);
      return sql<{ ms: number }>`select setting::int as ms from pg_settings
        where name = 'idle_in_transaction_session_timeout'`.execute(trx);
    });
    expect(rows[0]?.ms).toBeGreaterThan(0);
    expect(rows[0]?.ms).toBeLessThan(usualTimes.silence);
  });
});
