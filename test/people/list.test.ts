import { expect, it } from "vitest";
import type { Trx } from "#db/client.ts";
import { defaultZendeskUrl } from "#lib/config.ts";
import { peopleOfAccount } from "#lib/people/list.ts";
import { peopleQuery, personList } from "#lib/people/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import { putConnection, putTicket } from "#test/timeline/ticket.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");
const day = (n: number) => new Date(Date.parse("2026-05-01T08:00:00Z") + n * 86_400_000);

/** One account with an organization in each of two Zendesk accounts that share ids, and one organization of somebody else. */
async function company() {
  const workspaceId = await database.workspace();
  return database.inWorkspace(workspaceId, async (trx) => {
    const acme = await putConnection(trx, workspaceId, "acme");
    const beta = await putConnection(trx, workspaceId, "beta");
    const [mine, other] = await Promise.all(["Mine", "Other"].map((name) => putAccount(trx, workspaceId, name)));
    const at = (scope: typeof acme) => ({
      workspace_id: workspaceId,
      connection_id: scope.connectionId,
      content_hash: "0",
    });
    await trx
      .insertInto("organization")
      .values([
        { ...at(acme), id: "1", account_id: mine },
        { ...at(beta), id: "1", account_id: mine },
        { ...at(acme), id: "2", account_id: other },
      ])
      .execute();
    await trx
      .insertInto("zendesk_user")
      .values([
        {
          ...at(acme),
          id: "11",
          name: "Homer Simpson",
          email: "homer@example.com",
          organization_id: "1",
          active: true,
        },
        { ...at(acme), id: "12", name: "apu", email: "apu_n@example.com", organization_id: "1", active: false },
        { ...at(acme), id: "13", name: null, email: null, organization_id: "1" },
        { ...at(acme), id: "14", name: "Gone", organization_id: "1", deleted_at: now },
        { ...at(acme), id: "15", name: "Elsewhere", organization_id: "2" },
        { ...at(beta), id: "11", name: "Maria de la Cruz", organization_id: "1" },
        { ...at(beta), id: "16", name: "Nobody", organization_id: null },
      ])
      .execute();
    await putTicket(trx, acme, "1", { requester_id: "11", organization_id: "1", created_at: day(1) });
    await putTicket(trx, acme, "2", { requester_id: "11", organization_id: "1", created_at: day(9) });
    await putTicket(trx, acme, "3", { requester_id: "11", organization_id: "1", created_at: day(20), deleted_at: now });
    await putTicket(trx, acme, "4", { requester_id: "11", organization_id: "2", created_at: day(30) });
    await putTicket(trx, acme, "5", { requester_id: "11", organization_id: "1", created_at: day(5), merged: true });
    await putTicket(trx, beta, "1", { requester_id: "11", organization_id: "1", created_at: day(2) });
    return { workspaceId, mine: mine ?? "", other: other ?? "" };
  });
}

async function putAccount(trx: Trx, workspaceId: number, name: string): Promise<string> {
  const row = { workspace_id: workspaceId, external_id: name, name, created_at: now, updated_at: now };
  return (await trx.insertInto("account").values(row).returning("id").executeTakeFirstOrThrow()).id;
}

const people = (workspaceId: number, accountId: string, query: Record<string, string> = {}) =>
  database.inWorkspace(workspaceId, (trx) =>
    peopleOfAccount(trx, workspaceId, accountId, peopleQuery.parse(query), defaultZendeskUrl),
  );

it("lists the people of all organizations of the account by name, with their own tickets in it", async () => {
  const { workspaceId, mine } = await company();
  const list = personList.parse(await people(workspaceId, mine));
  expect(
    list.items.map((p) => [p.zendeskUserId, p.firstName, p.lastName, p.active, p.ticketsTotal, p.lastTicketAt]),
  ).toEqual([
    ["12", "apu", null, false, 0, null],
    ["11", "Homer", "Simpson", true, 3, day(9).toISOString()],
    ["11", "Maria", "de la Cruz", true, 1, day(2).toISOString()],
    ["13", null, null, true, 0, null],
  ]);
  expect(list.items[1]).toMatchObject({
    name: "Homer Simpson",
    email: "homer@example.com",
    organizationId: "1",
    url: "https://acme.zendesk.com/agent/users/11",
  });
});

it("leaves merged tickets out where the workspace does not count them", async () => {
  const { workspaceId, mine } = await company();
  await database.db.updateTable("workspace").set({ count_merged: false }).where("id", "=", workspaceId).execute();
  expect((await people(workspaceId, mine)).items.map((p) => p.ticketsTotal)).toEqual([0, 2, 1, 0]);
});

it("finds by a part of name or e-mail, taken literally", async () => {
  const { workspaceId, mine } = await company();
  const names = async (q: string) => (await people(workspaceId, mine, { q })).items.map((p) => p.name);
  expect(await names("SIMPS")).toEqual(["Homer Simpson"]);
  expect(await names("apu_n@")).toEqual(["apu"]);
  expect(await names("%")).toEqual([]);
  expect(await names("r_S")).toEqual([]);
});

it("pages through everybody once, those without a name too", async () => {
  const { workspaceId, mine } = await company();
  const all = (await people(workspaceId, mine)).items;
  const paged = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Awaited<ReturnType<typeof people>> = await people(workspaceId, mine, {
      limit: "1",
      ...(cursor && { cursor }),
    });
    paged.push(...page.items);
    cursor = page.nextCursor;
  }
  expect(paged).toEqual(all);
});

it("another workspace's account is not found", async () => {
  const [one, two] = [await company(), await company()];
  await expect(people(one.workspaceId, two.mine)).rejects.toMatchObject({ code: "not_found" });
});
