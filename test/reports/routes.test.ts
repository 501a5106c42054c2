import { beforeAll, expect, test } from "vitest";
import { GET as getMetrics } from "#app/api/v1/accounts/[id]/metrics/route.ts";
import { GET as getAccountOrganizations } from "#app/api/v1/accounts/[id]/organizations/route.ts";
import { GET as getAccount } from "#app/api/v1/accounts/[id]/route.ts";
import { GET as getTickets } from "#app/api/v1/accounts/[id]/tickets/route.ts";
import { GET as getTrend } from "#app/api/v1/accounts/[id]/trend/route.ts";
import { GET as listAccounts } from "#app/api/v1/accounts/route.ts";
import { POST as preview } from "#app/api/v1/connections/[id]/match-keys/preview/route.ts";
import { GET as getKeys, PUT as putKeys } from "#app/api/v1/connections/[id]/match-keys/route.ts";
import {
  PUT as decide,
  DELETE as undecide,
} from "#app/api/v1/connections/[id]/organizations/[organizationId]/match/route.ts";
import { POST as importDecisions } from "#app/api/v1/connections/[id]/organizations/import/route.ts";
import { GET as listOrganizations } from "#app/api/v1/connections/[id]/organizations/route.ts";
import { GET as getDictionary } from "#app/api/v1/metrics/dictionary/route.ts";
import { GET as listOwners } from "#app/api/v1/owners/route.ts";
import { GET as getWorkspace, PATCH as patchWorkspace } from "#app/api/v1/workspace/route.ts";
import { rematchWorkspace } from "#lib/matching/run.ts";
import { metricKeys } from "#lib/metrics/shapes.ts";
import { storeOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { makeConnections } from "#test/metrics/history.ts";
import { organizationRow, ratingRow, ticketRow } from "#test/metrics/rows.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);
let workspaceId: number;
let account: string;
let connection: string;
let key: string;
let csm: string;
let viewer: string;

beforeAll(async () => {
  const now = new Date();
  workspaceId = await database.workspace();
  await database.inWorkspace(workspaceId, async (trx) => {
    const [connectionId = 0] = await makeConnections(trx, workspaceId, 1);
    const scope = { workspaceId, connectionId };
    connection = String(connectionId);
    const made = await trx
      .insertInto("account")
      .values({
        workspace_id: workspaceId,
        external_id: "A",
        name: "Acme",
        owner_email: "o@example.com",
        created_at: now,
        updated_at: now,
      })
      .returning("id")
      .executeTakeFirstOrThrow();
    account = made.id;
    await rematchWorkspace(trx, workspaceId, now);
    await storeOrganizations(
      trx,
      scope,
      [organizationRow({ id: "1", externalId: "A" }), organizationRow({ id: "2" })],
      now,
    );
    const tickets = [1, 2, 3].map((id) =>
      ticketRow({ id: String(id), createdAt: now, priority: "urgent", requesterId: "8" }),
    );
    await storeTickets(trx, scope, tickets, now);
    await storeRatings(
      trx,
      scope,
      [ratingRow({ id: "1", ticketId: "2", category: "bad", comment: "=slow", ratedAt: now })],
      now,
    );
    await trx
      .insertInto("zendesk_user")
      .values({ workspace_id: workspaceId, connection_id: connectionId, id: "8", name: "Rita", content_hash: "1" })
      .execute();
  });
  key = await api.key(workspaceId);
  csm = await api.key(workspaceId, "csm");
  viewer = await api.key(workspaceId, "viewer");
});

test("match keys are previewed, set, read back, and every number follows in the answer after", async () => {
  const path = `/api/v1/connections/${connection}/match-keys`;
  const keys = [{ organizationField: "external_id", accountField: "externalId" }];
  expect((await api.call(getKeys, path, { key: viewer })).body).toEqual({ keys: [] });
  const previewed = await api.call(preview, `${path}/preview`, { key: viewer, body: { keys } });
  expect(previewed.body).toMatchObject({
    organizations: 2,
    matched: 1,
    unmatched: 1,
    changes: { gained: 1, lost: 0, moved: 0 },
  });
  expect((await api.call(putKeys, path, { key: csm, body: { keys } })).status).toBe(403);
  const saved = await api.call(putKeys, path, { key, body: { keys } });
  expect(saved.body).toMatchObject({ ...previewed.body, keys: [{ ...keys[0], normalize: "exact" }] });
  const { body } = await api.call(listAccounts, "/api/v1/accounts?sort=-topUnsolved", { key: viewer });
  expect(body).toMatchObject({ total: 1, nextCursor: null });
  expect(body.items[0]?.metrics).toMatchObject({ ticketsTotal: 3, topUnsolved: 3, csat: { bad: 1, score: 0 } });
  const wrong = await api.call(putKeys, path, {
    key,
    body: { keys: [{ organizationField: "tags", accountField: "name" }] },
  });
  expect([wrong.status, wrong.error?.details?.[0]?.path]).toEqual([422, "keys.0.organizationField"]);
});

test("an account, its metrics, weeks, organizations and owners are answered in their shapes", async () => {
  const one = await api.call(getAccount, `/api/v1/accounts/${account}`, { key: viewer });
  expect(one.body).toMatchObject({ id: account, organizations: 1, freshness: { freshThrough: null } });
  const metrics = await api.call(getMetrics, `/api/v1/accounts/${account}/metrics`, { key: viewer });
  expect(metrics.body.windows.map((window) => window.days)).toEqual([7, 14, 30, 90, 180]);
  expect(
    (await api.call(getMetrics, `/api/v1/accounts/${account}/metrics?asOf=2020-01-01`, { key: viewer })).body,
  ).toMatchObject({
    asOf: "2020-01-01",
    ticketsTotal: 3,
    windows: expect.arrayContaining([expect.objectContaining({ days: 180, ticketsCreated: 0 })]),
  });
  const ahead = await api.call(getMetrics, `/api/v1/accounts/${account}/metrics?asOf=2999-01-01`, { key: viewer });
  expect([ahead.status, ahead.error?.details?.[0]?.path]).toEqual([422, "asOf"]);
  const trend = await api.call(getTrend, `/api/v1/accounts/${account}/trend?weeks=4`, { key: viewer });
  expect(trend.body.weeks.map((week) => week.ticketsCreated)).toEqual([0, 0, 0, 3]);
  const organizations = await api.call(getAccountOrganizations, `/api/v1/accounts/${account}/organizations`, {
    key: viewer,
  });
  expect(organizations.body.items).toMatchObject([{ organizationId: "1", tickets: 3 }]);
  expect((await api.call(listOwners, "/api/v1/owners", { key: viewer })).body.items).toEqual([
    { email: "o@example.com", name: null, accounts: 1 },
  ]);
  const dictionary = await api.call(getDictionary, "/api/v1/metrics/dictionary", { key: viewer });
  expect(dictionary.body.items.map((metric) => metric.key)).toEqual([...metricKeys]);
  for (const path of ["", "/metrics", "/trend", "/tickets", "/organizations"]) {
    const routes = {
      "": getAccount,
      "/metrics": getMetrics,
      "/trend": getTrend,
      "/tickets": getTickets,
      "/organizations": getAccountOrganizations,
    };
    const missing = await api.call(
      routes[path as keyof typeof routes] as typeof getAccount,
      `/api/v1/accounts/999999${path}`,
      { key },
    );
    expect(missing.status, path).toBe(404);
  }
});

test("the tickets behind a number come as JSON and as CSV", async () => {
  const path = `/api/v1/accounts/${account}/tickets`;
  const all = await api.call(getTickets, `${path}?metric=topUnsolved&limit=2`, { key: viewer });
  expect(all.body).toMatchObject({ total: 3, items: [{ id: "3", reporter: "Rita", rating: null }, { id: "2" }] });
  expect(all.body.items[1]).toMatchObject({
    rating: { score: "bad", comment: "=slow" },
    url: "https://acme1.zendesk.com/agent/tickets/2",
    group: null,
  });
  const rest = await api.call(getTickets, `${path}?metric=topUnsolved&limit=2&cursor=${all.body.nextCursor}`, {
    key: viewer,
  });
  expect(rest.body).toMatchObject({ total: 3, nextCursor: null, items: [{ id: "1" }] });
  const csv = await api.call(getTickets, `${path}?metric=csat&windowDays=7&format=csv`, { key: viewer });
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  const lines = csv.text.trimEnd().split("\r\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain(`"'=slow"`);
  expect((await api.call(getTickets, `${path}?metric=csat&windowDays=8`, { key: viewer })).error?.message).toContain(
    "7, 14, 30, 90, 180",
  );
  expect((await api.call(getTickets, `${path}?windowDays=8`, { key: viewer })).status).toBe(200);
  expect((await api.call(getTickets, `${path}?metric=csat&windowDays=8&format=csv`, { key: viewer })).status).toBe(422);
});

test("a CSM decides about an organization by hand, by file, and takes it back; a viewer may not", async () => {
  const path = `/api/v1/connections/${connection}/organizations`;
  const match = `${path}/2/match`;
  expect((await api.call(decide, match, { key: viewer, body: { ignored: true } })).status).toBe(403);
  expect((await api.call(decide, match, { key: csm, body: { accountId: account } })).body).toMatchObject({
    state: "matched",
    decidedBy: { type: "person", email: expect.stringContaining("csm") },
  });
  expect((await api.call(decide, match, { key: csm, body: { accountId: account, ignored: true } })).status).toBe(422);
  expect((await api.call(undecide, match, { key: csm })).body).toMatchObject({ state: "unmatched", decidedBy: null });
  const csv = await api.call(listOrganizations, `${path}?state=unmatched&format=csv`, { key: viewer });
  const corrected = csv.text.replace(/""\r\n$/, '"ignore"\r\n');
  const sent = { key: csm, body: corrected, headers: { "content-type": "text/csv", "idempotency-key": "once" } };
  expect((await api.call(importDecisions, `${path}/import`, sent)).body).toEqual({
    decided: 1,
    unchanged: 0,
    rejected: [],
  });
  expect((await api.call(importDecisions, `${path}/import`, sent)).body).toEqual({
    decided: 1,
    unchanged: 0,
    rejected: [],
  });
  expect((await api.call(listOrganizations, `${path}?state=ignored`, { key: viewer })).body.items).toMatchObject([
    { organizationId: "2", state: "ignored" },
  ]);
});

test("settings are read by all and changed by administrators; wrong ones are named", async () => {
  const path = "/api/v1/workspace";
  expect((await api.call(getWorkspace, path, { key: viewer })).body).toMatchObject({
    timeZone: "UTC",
    countMerged: true,
  });
  expect((await api.call(patchWorkspace, path, { key: csm, body: { name: "x" } })).status).toBe(403);
  const changed = await api.call(patchWorkspace, path, { key, body: { windows: [3], timeZone: "Asia/Kathmandu" } });
  expect(changed.body).toMatchObject({ windows: [3], timeZone: "Asia/Kathmandu" });
  const { body } = await api.call(listAccounts, "/api/v1/accounts", { key });
  expect(body.items[0]?.metrics).toMatchObject({ windowDays: 3, ticketsCreated: 3 });
  for (const [wrong, at] of [
    [{ windows: [0] }, "windows.0"],
    [{ timeZone: "Nowhere" }, "timeZone"],
    [{ topPriorities: ["burning"] }, "topPriorities.0"],
    [{ colour: "red" }, "colour"],
  ] as const) {
    const refused = await api.call(patchWorkspace, path, { key, body: wrong });
    expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([422, at]);
  }
});

test("another workspace's key sees nothing of it", async () => {
  const other = await api.key(await database.workspace());
  expect((await api.call(listAccounts, "/api/v1/accounts", { key: other })).body.items).toEqual([]);
  expect((await api.call(getAccount, `/api/v1/accounts/${account}`, { key: other })).status).toBe(404);
  expect(
    (await api.call(listOrganizations, `/api/v1/connections/${connection}/organizations`, { key: other })).status,
  ).toBe(404);
  expect((await api.call(getTickets, `/api/v1/accounts/${account}/tickets?format=csv`, { key: other })).status).toBe(
    404,
  );
});
