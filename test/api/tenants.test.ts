import { beforeAll, expect, test } from "vitest";
import type { Operation } from "#app/api/operation.ts";
import { POST as bulk } from "#app/api/v1/accounts/bulk/route.ts";
import { GET as accounts } from "#app/api/v1/accounts/route.ts";
import { PUT as setMatchKeys } from "#app/api/v1/connections/[id]/match-keys/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { GET as deliveries } from "#app/api/v1/deliveries/route.ts";
import { POST as createDestination } from "#app/api/v1/destinations/route.ts";
import { GET as events } from "#app/api/v1/events/route.ts";
import { allOperations } from "#app/api/v1/openapi.json/document.ts";
import { bodyExamples } from "#app/api/v1/openapi.json/examples.ts";
import { POST as createSource } from "#app/api/v1/sources/route.ts";
import { POST as createUser } from "#app/api/v1/users/route.ts";
import { PATCH as changeWorkspace } from "#app/api/v1/workspace/route.ts";
import { POST as door } from "#app/v1/[door]/route.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import { type Connected, useGround } from "#test/connections/ground.ts";
import { requestOf } from "#test/support/api.ts";
import { callOperation, everyGet, type OwnedIds } from "#test/support/every-route.ts";

const ground = useGround();
const { api, database } = ground;

/** A workspace of which every text names its owner, and whose Zendesk has the ids of the other's. */
interface Tenant {
  canary: string;
  connected: Connected;
  ids: OwnedIds;
  cookie: string;
}

let tenants: [Tenant, Tenant];

async function tenant(canary: string): Promise<Tenant> {
  const connected = await ground.connect(canary, {
    body: { name: `Desk of ${canary}`, access: "read_write" },
    before: (world) => {
      const { id } = world.organizations.create({ name: `${canary} Ltd`, externalId: "SAME-1" });
      const requester = world.users.create({
        name: `${canary} Jones`,
        email: `jones@${canary}.example`,
        organizationId: id,
      });
      for (let n = 0; n < 5; n++) {
        const subject = `${canary} question ${n}`;
        const ticket = world.tickets.create({
          subject,
          priority: "urgent",
          requesterId: requester.id,
          organizationId: id,
        });
        world.tickets.solve(ticket.id);
        world.ratings.rate(ticket.id, "bad", { comment: `${canary} complains` });
      }
      world.distort("organization", world.organizations.create({ name: `${canary} held` }).id, {
        id: `${canary} is no id`,
      });
      world.advance(3_600_000);
    },
  });
  const { key, workspace } = connected;
  const body = {
    accounts: [{ externalId: "SAME-1", name: `${canary} account`, ownerEmail: `owner@${canary}.example` }],
  };
  await api.call(bulk, "/api/v1/accounts/bulk", { key, body });
  const keys = [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" as const }];
  await api.call(setMatchKeys, `${connected.path}/match-keys`, { key, body: { keys } });
  await api.call(changeWorkspace, "/api/v1/workspace", { key, body: { name: `Workspace of ${canary}` } });
  const person = { email: `second@${canary}.example`, role: "viewer" };
  const user = (await api.call(createUser, "/api/v1/users", { key, body: person })).body;
  await ground.settled(connected);
  await api.call(sync, `${connected.path}/sync`, { key, body: { mode: "reconcile" } });
  await ground.settled(connected);
  const { cookie } = await api.person(workspace, "admin", `first@${canary}.example`);
  const source = (await api.call(createSource, "/api/v1/sources", { key, body: { name: `Shop of ${canary}` } })).body;
  const target = { connectionId: connected.id, sourceIds: [source.id], profile: "customerio", enabled: true } as const;
  const destination = (await api.call(createDestination, "/api/v1/destinations", { key, body: target })).body;
  const event = { userId: canary, event: `${canary} paid`, messageId: "same" };
  await door(requestOf("POST", "/v1/track", { key: source.writeKey, body: event }), {
    params: Promise.resolve({ door: "track" }),
  });
  await routeEvents(api.context, workspace, new Date());
  const stored = await database.inWorkspace(workspace, async (trx) => ({
    organization: await trx
      .selectFrom("organization")
      .select("id")
      .where("name", "=", `${canary} Ltd`)
      .executeTakeFirstOrThrow(),
    apiKey: await trx
      .selectFrom("api_key")
      .select("id")
      .where("workspace_id", "=", workspace)
      .executeTakeFirstOrThrow(),
  }));
  const ids = {
    connection: connected.id,
    account: (await api.call(accounts, "/api/v1/accounts", { key })).body.items[0]?.id ?? "",
    organization: stored.organization.id,
    run: (await api.call(runs, `${connected.path}/runs`, { key })).body.items[0]?.id ?? "",
    user: user.id,
    apiKey: stored.apiKey.id,
    source: source.id,
    event: (await api.call(events, "/api/v1/events", { key })).body.items[0]?.id ?? "",
    destination: destination.id,
    delivery: (await api.call(deliveries, "/api/v1/deliveries", { key })).body.items[0]?.id ?? "",
  };
  return { canary, connected, ids, cookie };
}

beforeAll(async () => {
  // What becomes of deliveries is told elsewhere.
  await processDeliverer(api.context).stop(0);
  tenants = [await tenant("alphacanary"), await tenant("betacanary")];
  expect(tenants[0].ids.organization).toBe(tenants[1].ids.organization);
}, 120_000);

async function ask(operation: Operation, of: Tenant, caller: { key: string } | { cookie: string }, body?: unknown) {
  const response = await callOperation(operation, of.ids, {
    ...caller,
    ...(body === undefined ? {} : { body }),
    ...(operation.streamed && { headers: { "content-type": "text/csv" } }),
    query: queries[operation.id] ?? "",
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** What an operation takes, so that it is not refused for want of it before anybody looks whose the thing is. */
const bodies: Record<string, unknown> = {
  ...bodyExamples,
  importDecisions: "organization_id,account_external_id,action\n1,SAME-1,\n",
};
const queries: Record<string, string> = { deleteConnection: "?data=purge" };

test("no answer to one workspace holds a word of the other, whosever ids it asks for", async () => {
  let own = 0;
  for (const [mine, theirs] of [tenants, tenants.toReversed() as [Tenant, Tenant]]) {
    for (const operation of everyGet) {
      for (const options of [{ key: mine.connected.key }, { cookie: mine.cookie }]) {
        const answer = await ask(operation, mine, options);
        expect([operation.id, answer.status]).toEqual([operation.id, 200]);
        if (answer.text.includes(mine.canary)) own++;
        expect(answer.text.includes(theirs.canary), `${operation.id} tells ${mine.canary} of the other`).toBe(false);
        expect([operation.id, answer.headers.get("cache-control")]).toEqual([operation.id, "private, no-store"]);
        if (!operation.path.includes("{id}")) continue;
        const foreign = await ask(operation, theirs, options);
        expect([operation.id, foreign.status]).toEqual([operation.id, 404]);
        expect(foreign.text).not.toContain(theirs.canary);
        expect([operation.id, foreign.headers.get("cache-control")]).toEqual([operation.id, "private, no-store"]);
      }
    }
  }
  expect(own).toBeGreaterThan(30);
});

test("200 requests of both at once, by key and by session, each see their own alone", async () => {
  const calls = Array.from({ length: 200 }, async (_, n) => {
    const [mine, theirs] = n % 2 === 0 ? tenants : (tenants.toReversed() as [Tenant, Tenant]);
    const operation = everyGet[n % everyGet.length] as Operation;
    const answer = await ask(operation, mine, n % 4 < 2 ? { key: mine.connected.key } : { cookie: mine.cookie });
    return { id: operation.id, status: answer.status, foreign: answer.text.includes(theirs.canary) };
  });
  for (const { id, status, foreign } of await Promise.all(calls))
    expect([id, status, foreign]).toEqual([id, 200, false]);
});

test("nothing of the other workspace can be changed by its ids", async () => {
  const [mine, theirs] = tenants;
  const owned = async () => {
    const tables = [
      ...(["connection", "account", "app_user", "api_key", "match_key", "match_decision", "held_row"] as const),
      ...(["destination", "destination_source", "destination_action", "write_back_rule", "delivery"] as const),
    ];
    return database.inWorkspace(theirs.connected.workspace, async (trx) => {
      const rows = [];
      for (const table of tables)
        rows.push(
          await trx.selectFrom(table).selectAll().where("workspace_id", "=", theirs.connected.workspace).execute(),
        );
      return rows;
    });
  };
  const before = await owned();
  const unsafe = allOperations.filter(({ method, path: address }) => method !== "GET" && address.includes("{id}"));
  expect(unsafe.length).toBeGreaterThan(10);
  for (const operation of unsafe) {
    const { status } = await ask(operation, theirs, { key: mine.connected.key }, bodies[operation.id] ?? {});
    expect([operation.id, status]).toEqual([operation.id, 404]);
  }
  expect(await owned()).toEqual(before);
});
