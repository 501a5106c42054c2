import { sql } from "kysely";
import { expect, it } from "vitest";
import type { Trx } from "#db/client.ts";
import { defaultZendeskUrl } from "#lib/config.ts";
import { AppError } from "#lib/errors.ts";
import { accountTimeline, workspaceFeed } from "#lib/timeline/list.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { feedQuery, timelineList, timelineQuery } from "#lib/timeline/shapes.ts";
import type { TicketEventRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { storeEvents } from "#lib/zendesk/store/events.ts";
import { useDatabase } from "#test/support/database.ts";
import { putConnection, putTicket } from "./ticket.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");
const minute = (n: number) => new Date(Date.parse("2026-05-01T08:00:00Z") + n * 60_000);

async function putAccount(
  trx: Trx,
  workspaceId: number,
  name: string,
  ownerEmail: string | null = null,
): Promise<string> {
  const { id } = await trx
    .insertInto("account")
    .values({
      workspace_id: workspaceId,
      external_id: name,
      name,
      owner_email: ownerEmail,
      created_at: now,
      updated_at: now,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

async function putOrganization(trx: Trx, scope: Scope, id: string, accountId: string | null): Promise<void> {
  const match = { account_id: accountId, match_state: accountId ? "matched" : "unmatched" };
  await trx
    .insertInto("organization")
    .values({ workspace_id: scope.workspaceId, connection_id: scope.connectionId, id, content_hash: "0", ...match })
    .onConflict((conflict) => conflict.columns(["workspace_id", "connection_id", "id"]).doUpdateSet(match))
    .execute();
}

type Step = [minute: number, field: "status" | "priority", value: string];
let audits = 0;
/** A ticket born in minute `from` with a priority, and what changed later. */
async function putStory(
  trx: Trx,
  scope: Scope,
  ticketId: string,
  organizationId: string,
  from: number,
  priority: string,
  steps: Step[] = [],
) {
  const base = (at: number) => ({
    id: String(++audits),
    ticketId,
    occurredAt: minute(at),
    previous: null,
    updaterId: null,
  });
  const birth = base(from);
  const rows: TicketEventRow[] = [
    { ...birth, field: "created", kind: "create", value: null },
    { ...birth, field: "status", kind: "create", value: "new" },
    { ...birth, field: "priority", kind: "create", value: priority },
    ...steps.map(([at, field, value]): TicketEventRow => ({ ...base(at), field, kind: "change", value })),
  ];
  const today = steps.findLast(([, field]) => field === "priority")?.[2] ?? priority;
  await putTicket(trx, scope, ticketId, {
    organization_id: organizationId,
    created_at: minute(from),
    priority: today,
    subject: `Subject ${ticketId}`,
    requester_id: "41",
    assignee_id: "42",
    group_id: "43",
  });
  await storeEvents(trx, scope, rows, now);
  await refreshTimeline(trx, scope, [ticketId], now);
}

async function putPeople(trx: Trx, scope: Scope) {
  const at = { workspace_id: scope.workspaceId, connection_id: scope.connectionId, content_hash: "0" };
  await trx
    .insertInto("zendesk_user")
    .values([
      { ...at, id: "41", name: "Rita Reporter" },
      { ...at, id: "42", name: "Amy Agent" },
    ])
    .execute();
  await trx
    .insertInto("zendesk_group")
    .values({ ...at, id: "43", name: "Support" })
    .execute();
}

/** One workspace: two Zendesk accounts, an account with an organization in each, another account, and an unmatched one. */
async function company() {
  const workspaceId = await database.workspace();
  return database.inWorkspace(workspaceId, async (trx) => {
    const scope = await putConnection(trx, workspaceId, "acme");
    const second = await putConnection(trx, workspaceId, "beta");
    const mine = await putAccount(trx, workspaceId, "Mine", "csm@example.com");
    const other = await putAccount(trx, workspaceId, "Other");
    await putOrganization(trx, scope, "1", mine);
    await putOrganization(trx, second, "1", mine);
    await putOrganization(trx, scope, "2", other);
    await putOrganization(trx, scope, "3", null);
    await putPeople(trx, scope);
    await putStory(trx, scope, "10", "1", 0, "urgent", [
      [10, "status", "solved"],
      [20, "priority", "low"],
      [30, "status", "open"],
    ]);
    await putStory(trx, second, "10", "1", 5, "low", [
      [15, "priority", "high"],
      [25, "priority", "urgent"],
      [35, "status", "solved"],
    ]);
    await putStory(trx, scope, "11", "2", 1, "high");
    await putStory(trx, scope, "12", "3", 2, "urgent");
    return { workspaceId, scope, second, mine, other };
  });
}

const timeline = (workspaceId: number, accountId: string, query: Record<string, string> = {}) =>
  database.inWorkspace(workspaceId, (trx) =>
    accountTimeline(trx, workspaceId, accountId, timelineQuery.parse(query), defaultZendeskUrl),
  );
const feed = (workspaceId: number, query: Record<string, string> = {}) =>
  database.inWorkspace(workspaceId, (trx) =>
    workspaceFeed(trx, workspaceId, feedQuery.parse(query), defaultZendeskUrl),
  );
const brief = ({ items }: { items: { kind: string; occurredAt: string }[] }) =>
  items.map((item) => `${item.kind} ${(Date.parse(item.occurredAt) - minute(0).getTime()) / 60_000}`);

it("shows an account's entries of all its organizations, newest first, top priority kind by kind", async () => {
  const { workspaceId, mine } = await company();
  expect(brief(await timeline(workspaceId, mine))).toEqual([
    "ticket_solved 35",
    "ticket_escalated 15",
    "ticket_solved 10",
    "ticket_created 0",
  ]);
  expect(brief(await timeline(workspaceId, mine, { priority: "all" }))).toEqual([
    "ticket_solved 35",
    "ticket_reopened 30",
    "ticket_escalated 15",
    "ticket_solved 10",
    "ticket_created 5",
    "ticket_created 0",
  ]);
});

it("gives the seven fields, a link and an id that stays", async () => {
  const { workspaceId, mine, scope } = await company();
  const first = (await timeline(workspaceId, mine)).items.at(-1);
  expect(timelineList.parse({ items: [first], nextCursor: null }).items[0]).toEqual({
    id: first?.id,
    kind: "ticket_created",
    occurredAt: minute(0).toISOString(),
    derived: false,
    priorityThen: "urgent",
    ticket: {
      id: "10",
      subject: "Subject 10",
      priority: "low",
      reporter: "Rita Reporter",
      reportedAt: minute(0).toISOString(),
      group: "Support",
      assignee: "Amy Agent",
      url: "https://acme.zendesk.com/agent/tickets/10",
    },
  });
  await database.inWorkspace(workspaceId, (trx) => refreshTimeline(trx, scope, ["10"], now));
  expect((await timeline(workspaceId, mine)).items.at(-1)?.id).toBe(first?.id);
});

it("filters by kind and span, and pages without gap or repetition", async () => {
  const { workspaceId, mine } = await company();
  expect(brief(await timeline(workspaceId, mine, { kinds: "ticket_solved,ticket_reopened", priority: "all" }))).toEqual(
    ["ticket_solved 35", "ticket_reopened 30", "ticket_solved 10"],
  );
  const span = { from: minute(10).toISOString(), to: minute(35).toISOString(), priority: "all" };
  expect(brief(await timeline(workspaceId, mine, span))).toEqual([
    "ticket_reopened 30",
    "ticket_escalated 15",
    "ticket_solved 10",
  ]);
  const all = await timeline(workspaceId, mine, { priority: "all" });
  const paged = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: typeof all = await timeline(workspaceId, mine, {
      priority: "all",
      limit: "1",
      ...(cursor && { cursor }),
    });
    paged.push(...page.items);
    cursor = page.nextCursor;
  }
  expect(paged).toEqual(all.items);
});

it("pages through entries of one second", async () => {
  const { workspaceId, mine, scope } = await company();
  await database.inWorkspace(workspaceId, async (trx) => {
    for (const id of ["9007199254740993", "9007199254740994", "50", "51"])
      await putStory(trx, scope, id, "1", 60, "high", [[60, "status", "solved"]]);
  });
  const seen: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await timeline(workspaceId, mine, {
      limit: "3",
      from: minute(60).toISOString(),
      ...(cursor && { cursor }),
    });
    seen.push(...page.items.map((item) => item.id));
    cursor = page.nextCursor;
  }
  expect(seen).toHaveLength(8);
  expect(new Set(seen).size).toBe(8);
});

it("judges escalations by the top set that holds now", async () => {
  const { workspaceId, mine } = await company();
  const withTop = async (top: string[]) => {
    await database.db.updateTable("workspace").set({ top_priorities: top }).where("id", "=", workspaceId).execute();
    return brief(await timeline(workspaceId, mine, { kinds: "ticket_escalated", priority: "all" }));
  };
  expect(await withTop(["urgent"])).toEqual(["ticket_escalated 25"]);
  expect(await withTop(["high", "urgent"])).toEqual(["ticket_escalated 15"]);
  expect(await withTop(["low"])).toEqual(["ticket_escalated 20"]);
});

it("entries leave with an organization that is matched elsewhere, and come with it", async () => {
  const { workspaceId, mine, other, scope } = await company();
  await database.inWorkspace(workspaceId, (trx) => putOrganization(trx, scope, "1", other));
  expect(brief(await timeline(workspaceId, mine))).toEqual(["ticket_solved 35", "ticket_escalated 15"]);
  expect(brief(await timeline(workspaceId, other))).toEqual([
    "ticket_solved 10",
    "ticket_created 1",
    "ticket_created 0",
  ]);
});

it("leaves out a ticket that was marked deleted, before anything else is built", async () => {
  const { workspaceId, mine, scope } = await company();
  await database.inWorkspace(workspaceId, (trx) =>
    trx
      .updateTable("ticket")
      .set({ deleted_at: now })
      .where("id", "=", "10")
      .where("connection_id", "=", scope.connectionId)
      .execute(),
  );
  expect(brief(await timeline(workspaceId, mine))).toEqual(["ticket_solved 35", "ticket_escalated 15"]);
});

it("the feed shows all accounts, or those of one owner, and never what has no account", async () => {
  const { workspaceId, mine, other } = await company();
  const all = await feed(workspaceId);
  expect(brief(all)).toEqual([
    "ticket_solved 35",
    "ticket_escalated 15",
    "ticket_solved 10",
    "ticket_created 1",
    "ticket_created 0",
  ]);
  expect(all.items.map((item) => item.account)).toEqual(
    [mine, mine, mine, other, mine].map((id) => ({ id, name: id === mine ? "Mine" : "Other" })),
  );
  expect(brief(await feed(workspaceId, { ownerEmail: "CSM@example.com", limit: "2" }))).toEqual([
    "ticket_solved 35",
    "ticket_escalated 15",
  ]);
  expect(brief(await feed(workspaceId, { ownerEmail: "nobody@example.com" }))).toEqual([]);
});

it("the feed of many organizations is the same list", async () => {
  const { workspaceId, scope, mine } = await company();
  const few = await feed(workspaceId, { priority: "all" });
  await database.inWorkspace(workspaceId, (trx) =>
    sql`insert into organization (workspace_id, connection_id, id, content_hash, account_id, match_state)
        select ${workspaceId}, ${scope.connectionId}, 1000 + n, 0, ${mine}::bigint, 'matched' from generate_series(1, 301) n`.execute(
      trx,
    ),
  );
  expect(await feed(workspaceId, { priority: "all" })).toEqual(few);
  const page = await feed(workspaceId, { priority: "all", limit: "3" });
  const rest = await feed(workspaceId, { priority: "all", cursor: page.nextCursor ?? "" });
  expect([...page.items, ...rest.items]).toEqual(few.items);
});

it("another workspace's account is not found, and its entries are nobody else's", async () => {
  const first = await company();
  const second = await company();
  const failure = await timeline(first.workspaceId, second.mine).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AppError);
  expect((failure as AppError).code).toBe("not_found");
});

it("a cursor that the list never gave is refused", async () => {
  const { workspaceId, mine } = await company();
  await expect(timeline(workspaceId, mine, { cursor: "bm9uc2Vuc2U" })).rejects.toMatchObject({ code: "invalid" });
});
