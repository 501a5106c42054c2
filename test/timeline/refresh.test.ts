import { sql } from "kysely";
import { expect, it } from "vitest";
import type { Trx } from "#db/client.ts";
import { escalations } from "#lib/timeline/kinds.ts";
import { refreshCustomStatuses, refreshTimeline } from "#lib/timeline/refresh.ts";
import type { TicketEventRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { storeEvents } from "#lib/zendesk/store/events.ts";
import { useDatabase } from "#test/support/database.ts";
import { putConnection, putTicket } from "./ticket.ts";
import { eventsOf, expectedOf, type Life, liveOf, pick, seeded, shuffled, solvedAtOf } from "./world.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");
const begin = 1_760_000_000;

/** A new workspace with one connection, and a way to work in it. */
async function place() {
  const workspaceId = await database.workspace();
  const scope = await database.inWorkspace(workspaceId, (trx) => putConnection(trx, workspaceId));
  return { scope, work: <T>(work: (trx: Trx) => Promise<T>) => database.inWorkspace(workspaceId, work) };
}

const entriesOf = (trx: Trx, scope: Scope) =>
  trx
    .selectFrom("timeline_entry")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId);

async function storePage(trx: Trx, scope: Scope, rows: TicketEventRow[]) {
  const result = await storeEvents(trx, scope, rows, now);
  await refreshTimeline(trx, scope, result.ids, now);
  return result;
}

const auditsOf = (rows: TicketEventRow[]): TicketEventRow[][] =>
  [...new Set(rows.map((row) => row.id))].map((id) => rows.filter((row) => row.id === id));

const putLife = (trx: Trx, scope: Scope, life: Life) => {
  const solvedAt = solvedAtOf(life);
  return putTicket(trx, scope, life.ticketId, {
    created_at: new Date((life.updates[0]?.second ?? 0) * 1000),
    solved_at: solvedAt === null ? null : new Date(solvedAt * 1000),
    priority: life.updates.at(-1)?.priority ?? null,
  });
};

it("pages of events in any order, overlapping and repeated, before or after their tickets, end in the same entries", async () => {
  const { scope, work } = await place();
  const top = ["high", "urgent"];
  const expected: string[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const random = seeded(seed);
    const lives = Array.from({ length: 25 }, (_, i) => liveOf(random, String(seed * 100 + i), begin + i * 50));
    const historyStart = begin + (seed % 2) * 900;
    const audits = lives.flatMap((life) => auditsOf(eventsOf(life, historyStart)));
    const repeated = shuffled(random, [...audits, ...audits.filter(() => random() < 0.3)]);
    const late = lives.filter(() => random() < 0.5);
    const early = lives.filter((life) => !late.includes(life));
    const putAll = (some: Life[]) =>
      work(async (trx) => {
        for (const life of some) await putLife(trx, scope, life);
        await refreshTimeline(
          trx,
          scope,
          some.map((life) => life.ticketId),
          now,
        );
      });
    await putAll(early);
    while (repeated.length > 0) {
      const page = repeated.splice(0, 1 + Math.floor(random() * 40));
      await work((trx) => storePage(trx, scope, page.flat()));
    }
    await putAll(late);
    expected.push(...lives.flatMap((life) => expectedOf(life, historyStart, top)));
  }
  const entering = escalations(top);
  const stored = await work((trx) => entriesOf(trx, scope).execute());
  const told = stored
    .filter((row) => row.kind !== "ticket_escalated" || row.moves?.split(" ").some((move) => entering.includes(move)))
    .map((row) => {
      const priority = row.kind === "ticket_escalated" ? "" : (row.priority_then ?? "none");
      return `${row.ticket_id} ${row.kind} ${row.occurred_at.getTime() / 1000} ${priority} ${row.derived}`;
    });
  expect(told.sort()).toEqual(expected.sort());
});

const audit = (id: string, second: number, changes: Partial<TicketEventRow>[], ticketId = "7"): TicketEventRow[] =>
  changes.map((change) => ({
    id,
    ticketId,
    field: "status",
    kind: "change",
    value: null,
    previous: null,
    updaterId: null,
    occurredAt: new Date((begin + second) * 1000),
    ...change,
  }));
const born = audit("1", 0, [
  { field: "created", kind: "create" },
  { field: "status", kind: "create", value: "new" },
  { field: "priority", kind: "create", value: "low" },
]);
const solved = audit("2", 60, [{ value: "solved", previous: "new" }]);

it("counts what a page did, and writes nothing for what is stored already", async () => {
  const { scope, work } = await place();
  expect(await work((trx) => storeEvents(trx, scope, [...born, ...born], now))).toEqual({
    read: 6,
    inserted: 3,
    updated: 0,
    unchanged: 3,
    deleted: 0,
    ids: ["7"],
    written: ["1:created:0", "1:priority:0", "1:status:0"],
  });
  const versions = () =>
    work((trx) =>
      trx.selectFrom("ticket_event").select(sql<string>`xmin::text`.as("version")).where("id", "=", "1").execute(),
    );
  const before = await versions();
  expect(await work((trx) => storeEvents(trx, scope, [...born, ...solved], now))).toEqual({
    read: 4,
    inserted: 1,
    updated: 0,
    unchanged: 3,
    deleted: 0,
    ids: ["7"],
    written: ["2:status:0"],
  });
  expect(await work((trx) => storeEvents(trx, scope, solved, now))).toMatchObject({
    inserted: 0,
    updated: 0,
    unchanged: 1,
    ids: [],
  });
  expect(await versions()).toEqual(before);
});

it("keeps two changes that one update made to the same field", async () => {
  const { scope, work } = await place();
  const rows = [...born, ...audit("1", 0, [{ field: "priority", previous: "low", value: "urgent" }])];
  await work(async (trx) => {
    await putTicket(trx, scope, "7", { priority: "urgent" });
    await storePage(trx, scope, rows);
    await storePage(trx, scope, rows);
  });
  const entries = await work((trx) => entriesOf(trx, scope).orderBy("kind").execute());
  expect(entries.map((e) => [e.kind, e.priority_then, e.moves])).toEqual([
    ["ticket_created", "low", null],
    ["ticket_escalated", "urgent", "low>urgent"],
  ]);
});

it("replaces what was derived when the event of the same transition arrives", async () => {
  const { scope, work } = await place();
  await work(async (trx) => {
    await putTicket(trx, scope, "7", {
      created_at: new Date(begin * 1000),
      solved_at: new Date((begin + 58) * 1000),
      priority: "high",
    });
    await refreshTimeline(trx, scope, ["7"], now);
  });
  const read = () => work((trx) => entriesOf(trx, scope).orderBy("occurred_at").execute());
  const seconds = async () =>
    (await read()).map((e) => [e.kind, e.occurred_at.getTime() / 1000 - begin, e.priority_then, e.derived]);
  expect(await seconds()).toEqual([
    ["ticket_created", 0, "high", true],
    ["ticket_solved", 58, "high", true],
  ]);
  await work((trx) => storePage(trx, scope, [...born, ...solved]));
  expect(await seconds()).toEqual([
    ["ticket_created", 0, "low", false],
    ["ticket_solved", 60, "low", false],
  ]);
});

it("follows the ticket's organization, leaves with a deleted ticket and comes back with it", async () => {
  const { scope, work } = await place();
  const turn = (columns: Parameters<typeof putTicket>[3]) =>
    work(async (trx) => {
      await putTicket(trx, scope, "7", columns);
      await refreshTimeline(trx, scope, ["7"], now);
      return (await entriesOf(trx, scope).orderBy("occurred_at").execute()).map((e) => [e.kind, e.organization_id]);
    });
  await work((trx) => storeEvents(trx, scope, [...born, ...solved], now));
  expect(await turn({ organization_id: "5" })).toEqual([
    ["ticket_created", "5"],
    ["ticket_solved", "5"],
  ]);
  expect(await turn({ organization_id: "-9007199254740993" })).toEqual([
    ["ticket_created", "-9007199254740993"],
    ["ticket_solved", "-9007199254740993"],
  ]);
  expect(await turn({ deleted_at: now })).toEqual([]);
  expect(await turn({ deleted_at: null, organization_id: null })).toEqual([
    ["ticket_created", null],
    ["ticket_solved", null],
  ]);
});

it("tells bad ratings of both systems, and drops one whose answer turned good", async () => {
  const { scope, work } = await place();
  const rate = (id: string, system: string, category: string, second: number) =>
    work(async (trx) => {
      const values = {
        category,
        score: category,
        comment: `said ${id}`,
        rated_at: new Date((begin + second) * 1000 + 321),
        content_hash: "0",
      };
      await trx
        .insertInto("satisfaction_rating")
        .values({
          workspace_id: scope.workspaceId,
          connection_id: scope.connectionId,
          system,
          id,
          ticket_id: "7",
          ...values,
        })
        .onConflict((conflict) =>
          conflict.columns(["workspace_id", "connection_id", "system", "id"]).doUpdateSet(values),
        )
        .execute();
      await refreshTimeline(trx, scope, ["7"], now);
      return (await entriesOf(trx, scope).where("kind", "=", "rating_bad").orderBy("occurred_at").execute()).map(
        (e) => e.comment,
      );
    });
  await work((trx) => putTicket(trx, scope, "7", {}));
  expect(await rate("1", "legacy", "bad", 100)).toEqual(["said 1"]);
  expect(await rate("01H", "survey", "bad", 5000)).toEqual(["said 1", "said 01H"]);
  expect(await rate("1", "legacy", "good", 200)).toEqual(["said 01H"]);
});

it("custom statuses that come after the events give their transitions, word or id", async () => {
  const { scope, work } = await place();
  const words = [...born, ...audit("2", 60, [{ value: "Løst", previous: "new" }])];
  const ids = [
    ...audit("11", 0, [{ field: "created", kind: "create" }], "8"),
    ...audit("12", 60, [{ field: "custom_status_id", value: "77", previous: "1" }], "8"),
  ];
  const kinds = () =>
    work(async (trx) =>
      (await entriesOf(trx, scope).orderBy("ticket_id").orderBy("kind").execute()).map(
        (e) => `${e.ticket_id} ${e.kind}`,
      ),
    );
  await work(async (trx) => {
    await putTicket(trx, scope, "7", {});
    await putTicket(trx, scope, "8", {});
    await storePage(trx, scope, [...words, ...ids]);
  });
  expect(await kinds()).toEqual(["7 ticket_created", "8 ticket_created"]);
  await work(async (trx) => {
    await trx
      .insertInto("custom_status")
      .values({
        workspace_id: scope.workspaceId,
        connection_id: scope.connectionId,
        id: "77",
        category: "solved",
        label: "løst",
        content_hash: "0",
      })
      .execute();
    await refreshCustomStatuses(trx, scope, now);
  });
  expect(await kinds()).toEqual(["7 ticket_created", "7 ticket_solved", "8 ticket_created", "8 ticket_solved"]);
});

it("keeps two Zendesk accounts with equal ids apart", async () => {
  const { scope, work } = await place();
  const other = await work((trx) => putConnection(trx, scope.workspaceId, "other"));
  await work(async (trx) => {
    await putTicket(trx, scope, "7", {});
    await putTicket(trx, other, "7", {});
    await storePage(trx, scope, [...born, ...solved]);
    await storePage(trx, other, born);
  });
  const counts = await work(async (trx) => [
    (await entriesOf(trx, scope).execute()).length,
    (await entriesOf(trx, other).execute()).length,
  ]);
  expect(counts).toEqual([2, 1]);
});

it("takes a page of more rows than a statement has parameters", async () => {
  const { scope, work } = await place();
  const random = seeded(5);
  const rows = Array.from({ length: 9000 }, (_, i) =>
    audit(String(i + 10), i, [{ value: pick(random, ["open", "solved"]), previous: null }], String(i)),
  ).flat();
  expect(await work((trx) => storePage(trx, scope, rows))).toMatchObject({ read: 9000, inserted: 9000 });
});
