import { expect, it } from "vitest";
import { GET as people } from "#app/api/v1/accounts/[id]/people/route.ts";
import { GET as timeline } from "#app/api/v1/accounts/[id]/timeline/route.ts";
import { POST as bulk } from "#app/api/v1/accounts/bulk/route.ts";
import { GET as feed } from "#app/api/v1/feed/route.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";
import { putConnection, putTicket } from "./ticket.ts";

const database = useDatabase();
const api = useApi(database);

async function company() {
  const workspaceId = await database.workspace();
  await api.call(bulk, "/api/v1/accounts/bulk", {
    key: await api.key(workspaceId),
    body: { accounts: [{ externalId: "1", name: "One" }] },
  });
  const account = await database.inWorkspace(workspaceId, async (trx) => {
    const { id } = await trx.selectFrom("account").select("id").executeTakeFirstOrThrow();
    const scope = await putConnection(trx, workspaceId);
    const of = { workspace_id: workspaceId, connection_id: scope.connectionId, content_hash: "0" };
    await trx
      .insertInto("organization")
      .values({ ...of, id: "5", account_id: id, match_state: "matched" })
      .execute();
    await trx
      .insertInto("zendesk_user")
      .values({ ...of, id: "6", name: "Rita Reporter", organization_id: "5" })
      .execute();
    await putTicket(trx, scope, "7", { organization_id: "5", requester_id: "6", priority: "urgent" });
    await refreshTimeline(trx, scope, ["7"], new Date());
    return id;
  });
  return { account, viewer: await api.key(workspaceId, "viewer") };
}

it("a viewer reads timeline, feed and people", async () => {
  const { account, viewer: key } = await company();
  const entry = {
    kind: "ticket_created",
    derived: true,
    ticket: expect.objectContaining({ id: "7", reporter: "Rita Reporter" }),
  };
  const own = await api.call(
    timeline,
    `/api/v1/accounts/${account}/timeline?limit=1&kinds=ticket_created&priority=all`,
    { key },
  );
  expect(own.body).toMatchObject({ items: [entry], nextCursor: null });
  const all = await api.call(feed, "/api/v1/feed", { key });
  expect(all.body).toMatchObject({ items: [{ ...entry, account: { id: account, name: "One" } }], nextCursor: null });
  const users = await api.call(people, `/api/v1/accounts/${account}/people?q=rita`, { key });
  expect(users.body).toMatchObject({
    items: [{ zendeskUserId: "6", firstName: "Rita", lastName: "Reporter", ticketsTotal: 1 }],
  });
});

it("refuses what it cannot mean, and knows no account of others", async () => {
  const { account, viewer: key } = await company();
  const refusal = async (query: string) => {
    const { status, error } = await api.call(timeline, `/api/v1/accounts/${account}/timeline?${query}`, { key });
    return [status, error?.details?.[0]?.path];
  };
  expect(await refusal("kinds=ticket_eaten")).toEqual([422, expect.stringContaining("kinds")]);
  expect(await refusal("priority=low")).toEqual([422, "priority"]);
  expect(await refusal("from=yesterday")).toEqual([422, "from"]);
  expect(await refusal("cursor=abc")).toEqual([422, "cursor"]);
  const stranger = await company();
  expect((await api.call(timeline, `/api/v1/accounts/${stranger.account}/timeline`, { key })).status).toBe(404);
  expect((await api.call(people, `/api/v1/accounts/${stranger.account}/people`, { key })).status).toBe(404);
});
