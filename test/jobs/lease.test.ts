import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { beat, fence, type Lease, LeaseLost, revokeLease, takeLease } from "#lib/jobs/lease.ts";
import { freeLease } from "#lib/jobs/store/leases.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
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

  test("keeps a takeover waiting until the commit that checked it has ended", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await held(scope);
    const order: string[] = [];
    let goOn = () => {};
    const halfway = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let checked = () => {};
    const isChecked = new Promise<void>((resolve) => {
      checked = resolve;
    });
    const page = database.inWorkspace(scope.workspaceId, async (trx) => {
      await fence(trx, first);
      checked();
      await halfway;
      order.push("page");
    });
    await isChecked;
    const revoked = database
      .inWorkspace(scope.workspaceId, (trx) => revokeLease(trx, scope))
      .then(() => order.push("revoked"));
    expect(await beat(database.db, [first])).toEqual([]);
    goOn();
    await Promise.all([page, revoked]);
    expect(order).toEqual(["page", "revoked"]);
  });
});
