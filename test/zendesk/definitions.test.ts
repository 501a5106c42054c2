import { describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";

const database = useDatabase();

const newWorld = () => new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
const organizationFields = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("field_definition")
      .select(["key", "active", "deleted_at", "absent_since"])
      .where("connection_id", "=", account.connectionId)
      .where("subject", "=", "organization")
      .orderBy("key")
      .execute(),
  );
const living = async (account: Account) =>
  (await organizationFields(account)).filter(({ deleted_at }) => deleted_at === null).map(({ key }) => key);
const runOf = (account: Account, runId: string) =>
  account.read((trx) =>
    trx
      .selectFrom("sync_run_stream")
      .select(["deleted", "updated"])
      .where("run_id", "=", runId)
      .where("stream", "=", "fields")
      .executeTakeFirstOrThrow(),
  );
async function next(account: Account, after = HOUR) {
  account.world.advance(after);
  const outcome = await account.sync();
  return { ...outcome, fields: outcome.streams.find(({ name }) => name === "fields") };
}

/** An account with custom fields of organizations, and one organization that has a value in each; read once. */
async function withFields(keys: string[]) {
  const world = newWorld();
  const ids = new Map(
    keys.map((key) => [key, world.definitions.createField("organization", { key, title: key }).id] as const),
  );
  const organization = world.organizations.create({ name: "Acme" }).id;
  world.organizations.update(organization, { fields: Object.fromEntries(keys.map((key) => [key, "gold"])) });
  world.advance(HOUR);
  const account = await connect(database, world);
  await account.sync();
  const remove = (key: string) => world.definitions.deleteField("organization", ids.get(key) as string);
  return { world, account, remove, ids };
}

describe("a definition that is deleted in Zendesk (row 56)", () => {
  it("is deleted here when no list has shown it for a day; its values stay", async () => {
    const { account, remove } = await withFields(["plan", "tier"]);
    expect(await living(account)).toEqual(["plan", "tier"]);
    remove("plan");
    expect((await next(account)).fields?.state).toBe("ok");
    expect(await living(account)).toEqual(["plan", "tier"]);
    const { runId, fields } = await next(account, DAY);
    expect(fields?.state).toBe("ok");
    expect(await organizationFields(account)).toMatchObject([
      { key: "plan", active: false, deleted_at: expect.any(Date) },
      { key: "tier", active: true, deleted_at: null },
    ]);
    expect(await runOf(account, runId)).toMatchObject({ deleted: "1" });
    const values = await account.read((trx) => trx.selectFrom("organization_field_value").select("key").execute());
    expect(values.map(({ key }) => key).sort()).toEqual(["plan", "tier"]);
    expect(await runOf(account, (await next(account)).runId)).toMatchObject({ deleted: "0", updated: "0" });
  });

  it("comes back whole when the list shows it again, in the same version", async () => {
    const { account } = await withFields(["plan", "tier"]);
    const short = account.zendesk.faults.add(
      { path: "/api/v2/organization_fields" },
      fault.changesRows("one left out", (rows) => rows.filter(({ key }) => key !== "plan")),
    );
    await next(account);
    await next(account, DAY);
    expect(await living(account)).toEqual(["tier"]);
    short.remove();
    await next(account);
    expect(await organizationFields(account)).toMatchObject([
      { key: "plan", active: true, deleted_at: null },
      { key: "tier", active: true, deleted_at: null },
    ]);
  });

  it("was the last of its kind: an empty list is doubted for a day, and believed then (row 123)", async () => {
    const { account, remove } = await withFields(["plan"]);
    remove("plan");
    expect((await next(account)).fields).toMatchObject({
      state: "degraded",
      failure: { code: "empty_listing", message: expect.stringContaining("no organization fields") },
    });
    expect((await next(account, 22 * HOUR)).fields?.state).toBe("degraded");
    expect(await living(account)).toEqual(["plan"]);
    expect((await next(account, 2 * HOUR)).fields?.state).toBe("ok");
    expect(await living(account)).toEqual([]);
  });

  it("was the last of its kind: the night has no other word for it (row 123)", async () => {
    const { world, account, remove } = await withFields(["plan"]);
    remove("plan");
    world.advance(HOUR);
    const { streams } = await account.sync({ mode: "reconcile" });
    expect(streams.find(({ name }) => name === "fields")).toMatchObject({
      state: "degraded",
      failure: { code: "empty_listing" },
    });
  });

  it("is none where a list was empty for a while: the day begins anew", async () => {
    const { account } = await withFields(["plan"]);
    const empty = () =>
      account.zendesk.faults.add(
        { path: "/api/v2/organization_fields" },
        fault.changesRows("empty", () => []),
      );
    const first = empty();
    await next(account);
    first.remove();
    expect((await next(account)).fields?.state).toBe("ok");
    empty();
    expect((await next(account, DAY)).fields?.state).toBe("degraded");
    expect(await living(account)).toEqual(["plan"]);
  });

  it.each([
    [
      "is refused",
      (account: Account) =>
        void account.zendesk.faults.add({ path: "/api/v2/organization_fields" }, fault.forbidden("scope")),
    ],
    [
      "is shown to an agent",
      (account: Account) => {
        account.world.users.changeRole(account.world.adminId, "agent");
        account.zendesk.faults.add(
          { path: "/api/v2/organization_fields" },
          fault.changesRows("less", (rows) => rows.slice(1)),
        );
      },
    ],
    [
      "has a row without an id",
      (account: Account) =>
        void account.zendesk.faults.add(
          { path: "/api/v2/organization_fields" },
          fault.changesRows("no id", (rows) => rows.map((row, at) => (at === 0 ? { ...row, id: null } : row))),
        ),
    ],
  ])("is none where the list %s", async (_what, spoil) => {
    const { account } = await withFields(["plan", "tier"]);
    spoil(account);
    await next(account);
    await next(account, DAY);
    expect(await living(account)).toEqual(["plan", "tier"]);
  });
});
