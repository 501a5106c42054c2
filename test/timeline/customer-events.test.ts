import { expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import { keepCustomerEvent } from "#lib/destinations/store/customer-events.ts";
import { accountTimeline, workspaceFeed } from "#lib/timeline/list.ts";
import { feedQuery, timelineList, timelineQuery } from "#lib/timeline/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { useDatabase } from "#test/support/database.ts";
import { putConnection, putTicket } from "./ticket.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");
const second = (n: number) => new Date(Date.parse("2026-05-01T08:00:00Z") + n * 1000);
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

function keep(trx: Trx, scope: Scope, eventId: string, organizationId: string, at: number) {
  const event = {
    eventId,
    userId: "41",
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
      accountTimeline(trx, workspaceId, accountId, timelineQuery.parse({ priority: "all", ...query }), address);
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

test("they show with every priority, or when they are asked for by name, to their own workspace", async () => {
  const { workspaceId, accountId } = await company();
  const kindsOf = (items: { kind: string }[]) => [...new Set(items.map(({ kind }) => kind))];
  await database.inWorkspace(workspaceId, async (trx) => {
    const read = (query: object) => accountTimeline(trx, workspaceId, accountId, timelineQuery.parse(query), address);
    expect(kindsOf((await read({})).items)).toEqual(["ticket_created"]);
    expect(kindsOf((await read({ kinds: "customer_event" })).items)).toEqual(["customer_event"]);
    expect(kindsOf((await read({ priority: "all", kinds: "ticket_created" })).items)).toEqual(["ticket_created"]);
    const feed = await workspaceFeed(
      trx,
      workspaceId,
      feedQuery.parse({ priority: "all", ownerEmail: "CSM@example.com" }),
      address,
    );
    expect(feed.items).toHaveLength(12);
    expect(feed.items[0]).toMatchObject({ kind: "customer_event", account: { name: "Acme" } });
  });
  const other = await database.workspace();
  await database.inWorkspace(other, async (trx) => {
    const feed = await workspaceFeed(trx, other, feedQuery.parse({ priority: "all" }), address);
    expect(feed.items).toEqual([]);
  });
});
