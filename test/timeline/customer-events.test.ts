import { describe, expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import { keepCustomerEvent } from "#lib/destinations/store/customer-events.ts";
import { accountTimeline, workspaceFeed } from "#lib/timeline/list.ts";
import { feedQuery, timelineKinds, timelineList, timelineQuery } from "#lib/timeline/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { useDatabase } from "#test/support/database.ts";
import { putConnection, putTicket } from "./ticket.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");
const second = (n: number) => new Date(Date.parse("2026-05-01T08:00:00Z") + n * 1000);
const every = timelineKinds.join(",");
const address = "https://{subdomain}.zendesk.com";

/** An account with tickets and customer events in the same seconds, and an organization of nobody's with one event. */
async function company() {
  const workspaceId = await database.workspace();
  return database.inWorkspace(workspaceId, async (trx) => {
    const scope = await putConnection(trx, workspaceId, "acme");
    const { id: accountId } = await trx
      .insertInto("account")
      .values({
        workspace_id: workspaceId,
        external_id: "a",
        name: "Acme",
        owner_email: "csm@example.com",
        created_at: now,
        updated_at: now,
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    await putOrganization(trx, scope, "1", accountId);
    await putOrganization(trx, scope, "2", null);
    const at = { workspace_id: scope.workspaceId, connection_id: scope.connectionId };
    await trx
      .insertInto("zendesk_user")
      .values({ ...at, id: "41", name: "Rita", content_hash: "0" })
      .execute();
    for (let n = 1; n <= 4; n++) {
      await putTicket(trx, scope, String(n), { organization_id: "1", created_at: second(n), priority: "urgent" });
      const kind = "ticket_created";
      const entry = {
        ticket_id: String(n),
        kind,
        occurred_at: second(n),
        organization_id: "1",
        priority_then: "urgent",
        derived: false,
      };
      await trx
        .insertInto("timeline_entry")
        .values({ ...at, ...entry })
        .execute();
      await keep(trx, scope, String(n), "1", n);
      await keep(trx, scope, String(n + 10), "1", n);
    }
    await keep(trx, scope, "99", "2", 5);
    return { workspaceId, accountId };
  });
}

function putOrganization(trx: Trx, scope: Scope, id: string, accountId: string | null) {
  const match = { account_id: accountId, match_state: accountId ? "matched" : "unmatched", content_hash: "0" };
  return trx
    .insertInto("organization")
    .values({ workspace_id: scope.workspaceId, connection_id: scope.connectionId, id, ...match })
    .execute();
}

function keep(trx: Trx, scope: Scope, eventId: string, organizationId: string | null, at: number, userId = "41") {
  const event = {
    eventId,
    userId,
    organizationId,
    name: `Event ${eventId}`,
    properties: `{"n":${at}}`,
    occurredAt: second(at),
  };
  return keepCustomerEvent(trx, scope, event);
}

test("customer events stand among the tickets' moments, page by page without gap or repetition (R-20)", async () => {
  const { workspaceId, accountId } = await company();
  await database.inWorkspace(workspaceId, async (trx) => {
    const read = (query: object) =>
      accountTimeline(
        trx,
        workspaceId,
        accountId,
        timelineQuery.parse({ kinds: every, priority: "all", ...query }),
        address,
      );
    const whole = timelineList.parse(await read({ limit: 100 }));
    expect(
      whole.items.map(({ kind, event, ticket }) => (kind === "customer_event" ? event?.name : ticket?.id)),
    ).toEqual([4, 3, 2, 1].flatMap((n) => [`Event ${n}`, String(n), `Event ${n + 10}`]));
    expect(whole.items[0]).toMatchObject({
      occurredAt: second(4).toISOString(),
      event: {
        properties: { n: 4 },
        user: { id: "41", name: "Rita", url: expect.stringContaining("acme.zendesk.com/agent/users/41") },
      },
    });
    for (const limit of [1, 2, 5]) {
      const paged: unknown[] = [];
      let cursor: string | null = null;
      do {
        const page = await read({ limit, ...(cursor && { cursor }) });
        paged.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor);
      expect(paged).toEqual(whole.items);
    }
    const span = await read({ from: second(2).toISOString(), to: second(3).toISOString(), kinds: "customer_event" });
    expect(span.items.map(({ event }) => event?.name)).toEqual(["Event 2", "Event 12"]);
  });
});

test("they show where they are asked for by name, to their own workspace: every other entry is about a ticket", async () => {
  const { workspaceId, accountId } = await company();
  const kindsOf = (items: { kind: string }[]) => [...new Set(items.map(({ kind }) => kind))];
  await database.inWorkspace(workspaceId, async (trx) => {
    const read = (query: object) => accountTimeline(trx, workspaceId, accountId, timelineQuery.parse(query), address);
    for (const query of [{}, { priority: "all" }]) {
      const { items } = await read(query);
      expect(kindsOf(items)).toEqual(["ticket_created"]);
      expect(items.every(({ ticket }) => ticket !== null)).toBe(true);
    }
    expect(kindsOf((await read({ kinds: "customer_event" })).items)).toEqual(["customer_event"]);
    expect(kindsOf((await read({ priority: "all", kinds: "ticket_created" })).items)).toEqual(["ticket_created"]);
    const feedOf = (query: object) => workspaceFeed(trx, workspaceId, feedQuery.parse(query), address);
    expect(kindsOf((await feedOf({ priority: "all" })).items)).toEqual(["ticket_created"]);
    const feed = await feedOf({ kinds: every, priority: "all", ownerEmail: "CSM@example.com" });
    expect(feed.items).toHaveLength(12);
    expect(feed.items[0]).toMatchObject({ kind: "customer_event", account: { name: "Acme" } });
  });
  const other = await database.workspace();
  await database.inWorkspace(other, async (trx) => {
    const feed = await workspaceFeed(trx, other, feedQuery.parse({ kinds: every, priority: "all" }), address);
    expect(feed.items).toEqual([]);
  });
});

/** Two accounts with an organization each, a third organization of nobody's, and events that were kept of users. */
async function twoAccounts() {
  const workspaceId = await database.workspace();
  return database.inWorkspace(workspaceId, async (trx) => {
    const scope = await putConnection(trx, workspaceId, "acme");
    const at = { workspace_id: workspaceId, connection_id: scope.connectionId };
    const made = { workspace_id: workspaceId, owner_email: "csm@example.com", created_at: now, updated_at: now };
    const accounts: Record<string, string> = {};
    for (const [name, organization] of Object.entries({ Acme: "1", Globex: "2" })) {
      const account = trx
        .insertInto("account")
        .values({ ...made, external_id: name, name })
        .returning("id");
      accounts[name] = (await account.executeTakeFirstOrThrow()).id;
      await putOrganization(trx, scope, organization, accounts[name]);
    }
    await putOrganization(trx, scope, "3", null);
    const inTrx = <T>(work: (trx: Trx) => Promise<T>) => database.inWorkspace(workspaceId, work);
    const names = (items: readonly { event?: { name: string } | undefined }[]) => items.map(({ event }) => event?.name);
    return {
      workspaceId,
      keep: (eventId: string, organizationId: string | null, n: number, userId = "41") =>
        inTrx((trx) => keep(trx, scope, eventId, organizationId, n, userId)),
      /** What a run of the users stream leaves. */
      user: (organization_id: string | null) =>
        inTrx((trx) =>
          trx
            .insertInto("zendesk_user")
            .values({ ...at, id: "41", name: "Rita", organization_id, content_hash: "0" })
            .onConflict((conflict) =>
              conflict.columns(["workspace_id", "connection_id", "id"]).doUpdateSet({ organization_id }),
            )
            .execute(),
        ),
      member: (...organizations: string[]) =>
        inTrx(async (trx) => {
          await trx.deleteFrom("organization_membership").where("workspace_id", "=", workspaceId).execute();
          for (const id of organizations)
            await trx
              .insertInto("organization_membership")
              .values({ ...at, id, user_id: "41", organization_id: id, is_default: false })
              .execute();
        }),
      /** Names of events by account; those of the feeds, of the owner and of all, must be the same ones, each once. */
      shown: () =>
        inTrx(async (trx) => {
          const query = { kinds: "customer_event", limit: 100 };
          const of = async (id: string | undefined) =>
            names((await accountTimeline(trx, workspaceId, String(id), timelineQuery.parse(query), address)).items);
          const feed = async (more: object) =>
            (await workspaceFeed(trx, workspaceId, feedQuery.parse({ ...query, ...more }), address)).items.map(
              ({ account, event }) => `${account.name} ${event?.name}`,
            );
          const all = await feed({});
          expect(await feed({ ownerEmail: "csm@example.com" })).toEqual(all);
          return { acme: await of(accounts.Acme), globex: await of(accounts.Globex), feed: all };
        }),
    };
  });
}

describe("a customer event goes with its user, who belongs to accounts as their organizations are now", () => {
  test("one of a user without an organization is kept, and shows when they are in one", async () => {
    const { keep, user, shown } = await twoAccounts();
    await user(null);
    await keep("7", null, 1);
    const nowhere = { acme: [], globex: [], feed: [] };
    expect(await shown()).toEqual(nowhere);
    await user("1");
    expect(await shown()).toEqual({ acme: ["Event 7"], globex: [], feed: ["Acme Event 7"] });
    await user("2");
    expect(await shown()).toEqual({ acme: [], globex: ["Event 7"], feed: ["Globex Event 7"] });
    await user("3");
    expect(await shown()).toEqual(nowhere);
  });

  test("one of a user of several organizations shows with each account, and in a feed once: by the default one", async () => {
    const { keep, user, member, shown } = await twoAccounts();
    await user("2");
    await keep("7", "2", 1);
    await member("1", "2", "3");
    expect(await shown()).toEqual({ acme: ["Event 7"], globex: ["Event 7"], feed: ["Globex Event 7"] });
    await user(null);
    expect(await shown()).toEqual({ acme: ["Event 7"], globex: ["Event 7"], feed: ["Acme Event 7"] });
    await member("2");
    expect(await shown()).toEqual({ acme: [], globex: ["Event 7"], feed: ["Globex Event 7"] });
  });

  test("until a run has brought the user, the organization holds that Zendesk named; then it does not any more", async () => {
    const { keep, user, member, shown } = await twoAccounts();
    await keep("7", "1", 1);
    await keep("8", "2", 2, "42");
    await keep("9", null, 3, "43");
    expect(await shown()).toEqual({
      acme: ["Event 7"],
      globex: ["Event 8"],
      feed: ["Globex Event 8", "Acme Event 7"],
    });
    await user(null);
    expect((await shown()).acme).toEqual(["Event 7"]);
    await member("2");
    expect(await shown()).toMatchObject({ acme: [], globex: ["Event 8", "Event 7"] });
    await keep("10", "1", 4);
    await member();
    expect((await shown()).acme).toEqual(["Event 7"]);
  });
});
