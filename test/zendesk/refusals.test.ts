import { describe, expect, it } from "vitest";
import type { StreamName, SyncMode } from "#lib/connections/shapes.ts";
import { streams } from "#lib/zendesk/streams.ts";
import type { RunOutcome } from "#lib/zendesk/sync.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

/* 403 on one stream (row 62): from the first page on, and in the middle of a run; on one of its lists, and on what the night asks beside it. */

const database = useDatabase();

/** What each stream asks for. */
const paths: Record<StreamName, string | RegExp> = {
  fields: /_fields$|custom_statuses$/,
  groups: "/api/v2/groups",
  organizations: "/api/v2/incremental/organizations",
  users: "/api/v2/incremental/users/cursor",
  tickets: "/api/v2/incremental/tickets/cursor",
  ticket_events: "/api/v2/incremental/ticket_events",
  satisfaction_ratings: /satisfaction_ratings$|survey_responses$/,
};
const names = streams.map(({ name }) => name);
const states = (outcome: { streams: { name: string; state: string }[] }) =>
  Object.fromEntries(outcome.streams.map(({ name, state }) => [name, state]));

function world(): World {
  const acme = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const start = acme.now() - 2 * DAY;
  for (let n = 0; n < 16; n++) {
    acme.at(new Date(start + n * MINUTE).toISOString(), () => {
      acme.definitions.createGroup({ name: `Group ${n}` });
      const { id: organizationId } = acme.organizations.create({ name: `Organization ${n}` });
      const { id: requesterId } = acme.users.create({ name: `User ${n}`, organizationId });
      const { id } = acme.tickets.create({ subject: `Ticket ${n}`, requesterId });
      acme.tickets.solve(id);
      acme.ratings.offer(id);
      acme.ratings.rate(id, "good");
    });
  }
  return acme;
}
const smallPages = (account: Account) =>
  account.read((trx) =>
    trx
      .insertInto("stream_state")
      .values(
        names.map((stream) => ({
          workspace_id: account.workspaceId,
          connection_id: account.connectionId,
          stream,
          purpose: "incremental",
          page_size: 5,
          updated_at: new Date(),
        })),
      )
      .execute(),
  );
const stateOf = (account: Account, stream: StreamName) =>
  account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select(["state", "fresh_through", "caught_up", "failure_code"])
      .where("stream", "=", stream)
      .where("purpose", "=", "incremental")
      .executeTakeFirstOrThrow(),
  );

describe("a stream that the credentials may not read", () => {
  it.each(names)("(%s) is said to have failed, claims nothing, and the rest goes on", async (name) => {
    const account = await connect(database, world());
    const closed = account.zendesk.faults.add({ path: paths[name] }, fault.forbidden("scope"));
    const outcome = await account.sync();
    expect(outcome.connectionFailure).toBeUndefined();
    expect(states(outcome)).toEqual(Object.fromEntries(names.map((each) => [each, each === name ? "failed" : "ok"])));
    expect(outcome.streams.find((stream) => stream.name === name)?.failure).toMatchObject({
      code: "missing_scope",
      action: expect.stringContaining("scope"),
    });
    expect(await stateOf(account, name)).toMatchObject({ state: "failed", fresh_through: null });
    closed.remove();
    account.world.advance(HOUR);
    expect(Object.values(states(await account.sync())).every((state) => state === "ok")).toBe(true);
    await expectConverged(account);
  });

  it.each(names.filter((name) => name !== "fields"))(
    "from its second page on (%s) keeps its first page, claims nothing, and goes on there",
    async (name) => {
      const account = await connect(database, world());
      await smallPages(account);
      const closed = account.zendesk.faults.add({ path: paths[name], page: 2 }, fault.forbidden("titled"));
      const outcome = await account.sync();
      expect(closed.strikes).toBe(1);
      expect(states(outcome)).toEqual(Object.fromEntries(names.map((each) => [each, each === name ? "failed" : "ok"])));
      expect(await stateOf(account, name)).toMatchObject({ state: "failed", fresh_through: null, caught_up: false });
      const { tickets, users } = await stored(account);
      const kept: Partial<Record<StreamName, { length: number }>> = { tickets, users };
      expect(kept[name]?.length ?? 1).toBeGreaterThan(0);
      expect(kept[name]?.length ?? 1).toBeLessThan(16);
      closed.remove();
      expect(Object.values(states(await account.sync())).every((state) => state === "ok")).toBe(true);
      await expectConverged(account);
    },
  );
});

describe("one of the lists of definitions", () => {
  const stateOfFields = (account: Account) => stateOf(account, "fields");
  const keys = (account: Account) =>
    account.read(async (trx) => {
      const rows = await trx
        .selectFrom("field_definition")
        .select("key")
        .where("connection_id", "=", account.connectionId)
        .where("subject", "in", ["user", "organization"])
        .orderBy("key")
        .execute();
      return rows.map(({ key }) => key);
    });
  const withoutScope = { state: "failed", failure: { code: "missing_scope" } };
  const fieldsOf = (outcome: RunOutcome) => outcome.streams.find(({ name }) => name === "fields");

  it.each(["ticket_fields", "user_fields", "organization_fields", "custom_statuses"] as const)(
    "(%s) without its scope fails the stream, from the beginning and later on; the others are read",
    async (part) => {
      const account = await connect(database, world());
      const { definitions } = account.world;
      definitions.createField("user", { key: "seat" });
      definitions.createField("organization", { key: "plan" });
      const closed = account.zendesk.faults.add({ path: `/api/v2/${part}` }, fault.forbidden("scope"));
      expect(fieldsOf(await account.sync())).toMatchObject(withoutScope);
      expect(await stateOfFields(account)).toMatchObject({ state: "failed", fresh_through: null });
      const all = ["plan", "seat"];
      const closedKey = { user_fields: "seat", organization_fields: "plan" }[part as string];
      expect(await keys(account)).toEqual(all.filter((key) => key !== closedKey));
      closed.remove();
      account.world.advance(HOUR);
      expect(fieldsOf(await account.sync())?.state).toBe("ok");
      const { fresh_through } = await stateOfFields(account);
      expect(await keys(account)).toEqual(all);
      account.zendesk.faults.add({ path: `/api/v2/${part}` }, fault.forbidden("scope"));
      account.world.advance(HOUR);
      expect(fieldsOf(await account.sync({ mode: "reconcile" }))).toMatchObject(withoutScope);
      expect(await stateOfFields(account)).toMatchObject({ state: "failed", fresh_through });
    },
  );

  it("that was read before is not left out when it is refused; one that never was, or that is not known, is", async () => {
    const account = await connect(database, world());
    const { definitions } = account.world;
    definitions.createField("organization", { key: "plan" });
    account.zendesk.faults.add({ path: "/api/v2/user_fields" }, fault.forbidden("titled"));
    account.zendesk.faults.add({ path: "/api/v2/custom_statuses" }, fault.status(404, { error: "InvalidEndpoint" }));
    expect(fieldsOf(await account.sync())?.state).toBe("ok");
    const { fresh_through } = await stateOfFields(account);
    account.zendesk.faults.add({ path: "/api/v2/organization_fields" }, fault.forbidden("titled"));
    definitions.createField("organization", { key: "tier" });
    account.world.advance(HOUR);
    expect(fieldsOf(await account.sync())).toMatchObject({
      state: "failed",
      failure: { code: "forbidden", message: expect.stringMatching(/organization_fields.*read before/) },
    });
    expect(await stateOfFields(account)).toMatchObject({ state: "failed", fresh_through });
    account.zendesk.faults.clear();
    account.world.advance(HOUR);
    expect(fieldsOf(await account.sync())?.state).toBe("ok");
    expect(await keys(account)).toEqual(["plan", "tier"]);
  });
});

describe("what the night asks beside the streams", () => {
  const memberships = (account: Account) =>
    account.read((trx) =>
      trx
        .selectFrom("organization_membership")
        .select("id")
        .where("connection_id", "=", account.connectionId)
        .orderBy("id")
        .execute(),
    );
  const end = (outcome: RunOutcome, stream: StreamName) => outcome.streams.find(({ name }) => name === stream);
  const run = (account: Account, mode: SyncMode, after = HOUR) => {
    account.world.advance(after);
    return account.sync({ mode });
  };

  it("and is refused the memberships: the users say so until a night has read them, and nothing is verified", async () => {
    const account = await connect(database, world());
    const closed = account.zendesk.faults.add({ path: "/api/v2/organization_memberships" }, fault.forbidden("scope"));
    expect(end(await account.sync(), "users")?.state).toBe("ok");
    const refused = {
      state: "degraded",
      failure: { code: "missing_scope", message: expect.stringMatching(/^Memberships .*organization_memberships/) },
    };
    const night = await run(account, "reconcile");
    expect(end(night, "users")).toMatchObject(refused);
    expect(states(night)).toMatchObject({ tickets: "ok", organizations: "ok" });
    expect(night.verified).toBeUndefined();
    expect(end(await run(account, "incremental"), "users")).toMatchObject(refused);
    closed.remove();
    expect(end(await run(account, "incremental"), "users")).toMatchObject(refused);
    const next = await run(account, "reconcile", DAY);
    expect(end(next, "users")).toEqual({ name: "users", state: "ok" });
    expect(next.verified).toBeDefined();
    expect((await memberships(account)).map(({ id }) => id)).toEqual(
      [...account.world.users.memberships.keys()].sort((a, b) => Number(a) - Number(b)),
    );
    expect(end(await run(account, "incremental"), "users")?.state).toBe("ok");
  });

  it.each([
    ["at every address", /^\/api\/v2\/tickets/],
    ["each by itself", /^\/api\/v2\/tickets\/\d+$/],
  ])("and is refused tickets by their ids %s: they say so, and nothing is verified", async (_where, path) => {
    const account = await connect(database, world());
    await account.sync();
    const ids = [...account.world.tickets.byId.keys()];
    for (const id of ids.slice(0, 5)) account.world.tickets.vanish(id);
    const closed = account.zendesk.faults.add({ path }, fault.forbidden("titled"));
    const refused = {
      state: "degraded",
      failure: { code: "forbidden", message: expect.stringContaining("by their ids") },
    };
    for (let n = 0; n < 3; n++) {
      const night = await run(account, "reconcile", DAY + HOUR);
      expect(end(night, "tickets")).toMatchObject(refused);
      expect(night.verified).toBeUndefined();
      expect(end(await run(account, "incremental"), "tickets")).toMatchObject(refused);
    }
    expect((await stored(account)).tickets.filter((row) => row.deleted_at !== null)).toEqual([]);
    closed.remove();
    expect((await run(account, "reconcile", DAY)).verified).toBeDefined();
    const last = await run(account, "reconcile", DAY + HOUR);
    expect(end(last, "tickets")).toEqual({ name: "tickets", state: "ok" });
    expect((await stored(account)).tickets.filter((row) => row.deleted_at !== null)).toHaveLength(5);
  });

  it("and is refused some tickets by their ids: the others are judged, night after night", async () => {
    const account = await connect(database, world());
    await account.sync();
    const ids = [...account.world.tickets.byId.keys()].slice(0, 3) as [string, string, string];
    for (const id of ids) account.world.tickets.vanish(id);
    account.zendesk.faults.add({ path: `/api/v2/tickets/${ids[0]}` }, fault.forbidden("titled"));
    for (let n = 0; n < 2; n++) {
      const night = await run(account, "reconcile", DAY + HOUR);
      expect(end(night, "tickets")).toMatchObject({ state: "degraded", failure: { code: "forbidden" } });
      expect(night.verified).toBeUndefined();
    }
    const gone = (await stored(account)).tickets.filter((row) => row.deleted_at !== null).map(({ id }) => id);
    expect(gone.sort()).toEqual(ids.slice(1).sort());
  });

  it.each([
    ["missing_scope", "show_many", fault.forbidden("scope")],
    ["unavailable", "\\d+", fault.status(503)],
  ] as const)(
    "and is refused a ticket that only an event names (%s): nothing is verified",
    async (code, what, kind) => {
      const account = await connect(database, world());
      await account.sync();
      const { id } = account.world.tickets.create({ subject: "Hidden" });
      account.world.tickets.hideFromExport(id);
      const none = fault.changesRows("none", () => []);
      const hidden = account.zendesk.faults.add({ path: "/api/v2/tickets/show_many" }, none);
      const closed = account.zendesk.faults.add({ path: new RegExp(`^/api/v2/tickets/${what}$`) }, kind);
      const night = await run(account, "reconcile");
      expect(end(night, "tickets")).toMatchObject({ state: "degraded", failure: { code } });
      expect(night.verified).toBeUndefined();
      hidden.remove();
      closed.remove();
      expect((await run(account, "reconcile", DAY)).verified).toBeDefined();
      expect((await stored(account)).tickets.map((row) => row.id)).toContain(id);
    },
  );

  it("or a run, of organizations that rows have left: they say so until the night has asked", async () => {
    const account = await connect(database, world());
    await account.sync();
    const [loser, winner] = account.world.organizations.list();
    if (loser === undefined || winner === undefined) throw new Error("The world has too few organizations.");
    account.world.organizations.merge(loser.id, winner.id);
    const closed = account.zendesk.faults.add({ path: /^\/api\/v2\/organizations\// }, fault.forbidden("titled"));
    const refused = {
      state: "degraded",
      failure: { code: "forbidden", message: expect.stringContaining("by their ids") },
    };
    expect(end(await run(account, "incremental"), "organizations")).toMatchObject(refused);
    closed.remove();
    expect(end(await run(account, "incremental"), "organizations")).toMatchObject(refused);
    const night = await run(account, "reconcile");
    expect(end(night, "organizations")).toEqual({ name: "organizations", state: "ok" });
    expect(night.verified).toBeDefined();
  });
});
