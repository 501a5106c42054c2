import { describe, expect, it } from "vitest";
import { approveAbsences } from "#lib/jobs/approve-absences.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import type { User } from "#test/support/zendesk/world/rows.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

const database = useDatabase();

/** So many users beside the administrator, all stored already. */
async function accountOf(users: number): Promise<Account & { ids: string[] }> {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const ids = Array.from({ length: users }, (_, n) =>
    world.at(new Date(world.now() - 5 * DAY + n * 1000).toISOString(), () =>
      world.users.create({ name: `Penelope ${n}`, email: `p${n}@quince.example`, externalId: `P-${n}` }),
    ),
  ).map(({ id }) => id);
  const account = await connect(database, world);
  await account.sync();
  return { ...account, ids };
}

/** Gone without a word: no export, no list and no address knows the user any more. */
function vanish({ world: { users } }: Account, id: string): User {
  const user = users.existing(id);
  users.byId.delete(id);
  users.index.remove(user);
  return user;
}

async function night(account: Account, after = HOUR, runId?: string) {
  account.world.advance(after);
  const outcome = await account.sync({ mode: "reconcile", ...(runId ? { runId } : {}) });
  return { ...outcome, users: outcome.streams.find(({ name }) => name === "users") };
}
const extras = (account: Account, runId: string) =>
  account.read((trx) =>
    trx
      .selectFrom("drift_row")
      .select(["stream", "row_key", "difference", "repaired"])
      .where("run_id", "=", runId)
      .execute(),
  );
const absences = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("absence")
      .select(["stream", "row_id", "held"])
      .where("connection_id", "=", account.connectionId)
      .execute(),
  );
const user = (account: Account, id: string) =>
  account.read((trx) =>
    trx
      .selectFrom("zendesk_user")
      .select(["name", "email", "external_id", "active", "deleted_at"])
      .where("id", "=", id)
      .executeTakeFirst(),
  );
const livingUsers = async (account: Account) =>
  (await account.read((trx) => trx.selectFrom("zendesk_user").select("id").where("deleted_at", "is", null).execute()))
    .length;

describe("users whom Zendesk does not show any more (row 30)", () => {
  it("are extra, asked for by id, and gone with their names at the second 404, a day after the first; shown again they are back", async () => {
    const account = await accountOf(5);
    const [id = ""] = account.ids;
    const known = vanish(account, id);
    const first = await night(account);
    expect(first.users).toEqual({ name: "users", state: "ok" });
    expect(await extras(account, first.runId)).toEqual([
      { stream: "users", row_key: id, difference: "extra", repaired: false },
    ]);
    expect(await absences(account)).toEqual([{ stream: "users", row_id: id, held: false }]);
    expect(await user(account, id)).toMatchObject({ name: "Penelope 0", deleted_at: null });

    const second = await night(account, DAY + HOUR);
    expect(await extras(account, second.runId)).toEqual([
      { stream: "users", row_key: id, difference: "extra", repaired: true },
    ]);
    expect(second.verified).toMatchObject({ repaired: 1 });
    expect(await absences(account)).toEqual([]);
    expect(await user(account, id)).toEqual({
      name: null,
      email: null,
      external_id: null,
      active: false,
      deleted_at: expect.any(Date),
    });
    expect((await night(account, DAY)).verified).toMatchObject({ repaired: 0 });

    account.world.users.byId.set(id, known);
    account.world.users.index.add(known);
    await night(account, DAY);
    expect(await user(account, id)).toMatchObject({ name: "Penelope 0", active: true, deleted_at: null });
  });

  it("are all kept when they are too many, and gone when a person lets them go", async () => {
    const account = await accountOf(30);
    for (const id of account.ids.slice(0, 11)) vanish(account, id);
    const before = await livingUsers(account);
    expect((await night(account)).users).toMatchObject({
      state: "degraded",
      failure: { code: "many_missing", message: expect.stringContaining("does not show 11 stored users any more") },
    });
    expect((await night(account, DAY + HOUR)).users).toMatchObject({ state: "degraded" });
    expect(await livingUsers(account)).toBe(before);

    const now = new Date(account.world.now());
    const ctx = { config: configFor(account.zendesk), db: database.db, log: silentLog };
    const worker = new Worker(ctx, { holder: { instance: "test", pid: 1, nonce: "1" }, clock: () => now });
    await account.read((trx) => trx.updateTable("sync_run").set({ state: "succeeded" }).execute());
    const { workspaceId, connectionId } = account;
    const word = { stream: "users" as const, ceiling: 11, approvedBy: "Ada" };
    const runId = await approveAbsences(database.db, worker, { workspaceId, connectionId }, word, now);
    expect((await night(account, HOUR, runId)).users).toEqual({ name: "users", state: "ok" });
    expect(await livingUsers(account)).toBe(before - 11);
    expect(await absences(account)).toEqual([]);
  });

  it("but that answer by their ids are not extra and stay", async () => {
    const account = await accountOf(5);
    const [id = ""] = account.ids;
    account.zendesk.faults.add(
      { path: "/api/v2/incremental/users/cursor" },
      fault.changesRows("hidden", (rows) => rows.filter((row) => String(row.id) !== id)),
    );
    for (const after of [HOUR, DAY + HOUR]) {
      const { runId, verified } = await night(account, after);
      expect(verified).toMatchObject({ repaired: 0 });
      expect(await extras(account, runId)).toEqual([]);
    }
    expect(await absences(account)).toEqual([]);
    expect(await user(account, id)).toMatchObject({ name: "Penelope 0", deleted_at: null });
  });

  it("are kept, and their stream in doubt, while Zendesk refuses to be asked for them", async () => {
    const account = await accountOf(5);
    const [id = ""] = account.ids;
    vanish(account, id);
    const closed = account.zendesk.faults.add(
      { path: /^\/api\/v2\/users\/(show_many|\d+)$/ },
      fault.forbidden("titled"),
    );
    for (const after of [HOUR, DAY + HOUR]) {
      const { users, verified } = await night(account, after);
      expect(users).toMatchObject({
        state: "degraded",
        failure: { message: expect.stringMatching(/^Users could not be asked for by their ids: /) },
      });
      expect(verified).toBeUndefined();
    }
    expect(await user(account, id)).toMatchObject({ name: "Penelope 0", deleted_at: null });
    closed.remove();
    await night(account);
    expect((await night(account, DAY + HOUR)).users).toEqual({ name: "users", state: "ok" });
    expect(await user(account, id)).toMatchObject({ name: null });
  });
});
