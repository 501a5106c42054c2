import { describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

/* Lists of definitions come whole, or they say nothing of what they lack (rows 16, 30, 62, 63). */

const database = useDatabase();
const path = "/api/v2/organization_fields";
const keys = ["a", "b", "c", "d", "e", "f", "g"];

function world(fields = keys): World {
  const acme = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  for (const key of fields) acme.definitions.createField("organization", { key, title: key });
  acme.definitions.createField("user", { key: "seat", title: "Seat" });
  acme.advance(HOUR);
  return acme;
}
async function caughtUp(): Promise<Account> {
  const account = await connect(database, world());
  await account.sync();
  return account;
}
async function next(account: Account, after = HOUR) {
  account.world.advance(after);
  return fieldsOf(await account.sync());
}
const fieldsOf = (outcome: Awaited<ReturnType<Account["sync"]>>) =>
  outcome.streams.find(({ name }) => name === "fields");
const claimOf = async (account: Account) => {
  const { fresh_through } = await account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select("fresh_through")
      .where("stream", "=", "fields")
      .where("purpose", "=", "incremental")
      .executeTakeFirstOrThrow(),
  );
  return fresh_through;
};
const living = (account: Account, subject = "organization") =>
  account.read(async (trx) => {
    const rows = await trx
      .selectFrom("field_definition")
      .select("key")
      .where("connection_id", "=", account.connectionId)
      .where("subject", "=", subject)
      .where("deleted_at", "is", null)
      .orderBy("key")
      .execute();
    return rows.map(({ key }) => key);
  });

const refusals = [
  ["404", fault.status(404, { error: "InvalidEndpoint" })],
  ["403", fault.forbidden("titled")],
] as const;

describe("ticket fields, which every account has,", () => {
  it.each(refusals)(
    "fail the stream when they answer %s, read before or not, and claim nothing",
    async (_status, no) => {
      const account = await connect(database, world());
      const refused = account.zendesk.faults.add({ path: "/api/v2/ticket_fields" }, no);
      const failed = {
        state: "failed",
        failure: { code: "forbidden", message: expect.stringContaining("ticket_fields") },
      };
      expect(fieldsOf(await account.sync())).toMatchObject(failed);
      expect(await claimOf(account)).toBeNull();
      refused.remove();
      expect((await next(account))?.state).toBe("ok");
      await expectConverged(account, ["fields", "customStatuses"]);
      const before = await claimOf(account);
      account.zendesk.faults.add({ path: "/api/v2/ticket_fields" }, no);
      expect(await next(account)).toMatchObject(failed);
      expect(await claimOf(account)).toEqual(before);
    },
  );
});

describe("lists that a plan may lack", () => {
  it.each(refusals)("are left out where they never were (%s), and missed where they were", async (_status, no) => {
    for (const list of ["user_fields", "organization_fields", "custom_statuses"]) {
      const account = await connect(database, world());
      const refused = account.zendesk.faults.add({ path: `/api/v2/${list}` }, no);
      expect(fieldsOf(await account.sync())?.state).toBe("ok");
      expect((await next(account))?.state).toBe("ok");
      refused.remove();
      expect((await next(account))?.state).toBe("ok");
      const before = await claimOf(account);
      account.zendesk.faults.add({ path: `/api/v2/${list}` }, no);
      expect(await next(account)).toMatchObject({
        state: "failed",
        failure: { code: "forbidden", message: expect.stringMatching(new RegExp(`${list}.*read before`)) },
      });
      expect(await claimOf(account)).toEqual(before);
    }
  });
});

describe("a list that says it is not all", () => {
  const more = `https://acme.zendesk.com${path}.json?page=2`;
  const isWhole = ({ query }: { query: URLSearchParams }) => !query.has("page[size]");
  const short = (rest: object) =>
    fault.changesBody("two of seven", (body) => ({
      ...body,
      organization_fields: (body.organization_fields as unknown[]).slice(0, 2),
      ...rest,
    }));

  it.each([
    ["by its count", { count: 7, next_page: null }],
    ["by the next page", { count: 2, next_page: more }],
    ["by a cursor", { count: undefined, next_page: undefined, meta: { has_more: true, after_cursor: "x" } }],
  ])("%s is read on by cursor", async (_how, rest) => {
    const account = await connect(database, world());
    account.zendesk.faults.add({ path, when: isWhole }, short(rest));
    expect(fieldsOf(await account.sync())?.state).toBe("ok");
    expect(await living(account)).toEqual(keys);
    await expectConverged(account);
  });

  it("is read on page after page", async () => {
    const many = Array.from({ length: 130 }, (_, n) => `key_${String(n).padStart(3, "0")}`);
    const account = await connect(database, world(many));
    account.zendesk.faults.add(
      { path, when: isWhole },
      fault.changesBody("the first hundred", (body) => ({
        ...body,
        organization_fields: (body.organization_fields as unknown[]).slice(0, 100),
        next_page: more,
      })),
    );
    expect(fieldsOf(await account.sync())?.state).toBe("ok");
    expect(await living(account)).toEqual(many);
    expect(account.zendesk.journal.to(path).map(({ query }) => query["page[size]"])).toEqual([undefined, "100", "100"]);
  });

  it("by a count that is wrong, and has no more when it is read on, is all there is (row 22)", async () => {
    const account = await caughtUp();
    account.zendesk.faults.add(
      { path },
      fault.changesBody("nine of seven", (body) => ({ ...body, count: 9 })),
    );
    expect((await next(account))?.state).toBe("ok");
    expect(await living(account)).toEqual(keys);
  });

  it("and leads from one page to the next without end, fails the stream", async () => {
    const account = await caughtUp();
    account.zendesk.faults.add({ path, when: isWhole }, short({ next_page: more }));
    let n = 0;
    account.zendesk.faults.add(
      { path, query: { "page[size]": "100" } },
      fault.changesBody("no end", (body) => ({ ...body, meta: { has_more: true, after_cursor: `c${n++ % 2}` } })),
    );
    account.zendesk.faults.add(
      { path },
      fault.inTheMoment("any cursor will do", ({ query }) => query.delete("page[after]")),
    );
    expect(await next(account)).toMatchObject({ state: "failed", failure: { code: "protocol" } });
    expect(account.zendesk.journal.to(path).length).toBeLessThan(150);
    expect(await living(account)).toEqual(keys);
  });
});

describe("definitions that a list lacks without a word", () => {
  it("because the role has fallen since the run began, stay (row 63)", async () => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    zendesk.faults.add(
      { path: "/api/v2/users/me" },
      fault.changesBody("an agent", ({ user, ...body }) => ({ ...body, user: { ...(user as object), role: "agent" } })),
    );
    // The first question of a run is still answered to an administrator.
    zendesk.faults.add(
      { path: "/api/v2/users/me", nth: 1 },
      fault.changesBody("still an administrator", ({ user, ...body }) => ({
        ...body,
        user: { ...(user as object), role: "admin" },
      })),
    );
    zendesk.faults.add(
      { path },
      fault.changesRows("less", (rows) => rows.slice(0, 1)),
    );
    const outcome = await next(account);
    expect(outcome).toMatchObject({
      state: "degraded",
      failure: { code: "role_changed", message: expect.stringContaining("Nothing is removed") },
    });
    for (const after of [HOUR, DAY + HOUR]) await next(account, after);
    expect(await living(account)).toEqual(keys);
    world.advance(HOUR);
    zendesk.faults.clear();
    expect((await next(account))?.state).toBe("ok");
    await expectConverged(account);
  });

  it("are only nominated: shown again within a day, they never went (row 30)", async () => {
    const account = await caughtUp();
    const less = () =>
      account.zendesk.faults.add(
        { path },
        fault.changesRows("less", (rows) => rows.slice(0, 2)),
      );
    const first = less();
    expect((await next(account))?.state).toBe("ok");
    expect((await next(account, 22 * HOUR))?.state).toBe("ok");
    expect(await living(account)).toEqual(keys);
    first.remove();
    await next(account);
    less();
    await next(account, DAY);
    expect(await living(account)).toEqual(keys);
  });
});
