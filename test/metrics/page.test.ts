import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import type { Trx } from "#db/client.ts";
import { rematchWorkspace } from "#lib/matching/run.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { storeOrganizations, tombstoneOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { storeTickets, tombstoneTickets } from "#lib/zendesk/store/tickets.ts";
import { useDatabase } from "#test/support/database.ts";
import { makeConnections } from "./history.ts";
import { organizationRow, ratingRow, ticketRow } from "./rows.ts";

const database = useDatabase();
const now = new Date("2026-11-20T10:00:00Z");
let scope: Scope;

beforeEach(async () => {
  const workspaceId = await database.workspace();
  const [connectionId = 0] = await database.inWorkspace(workspaceId, (trx) => makeConnections(trx, workspaceId, 1));
  scope = { workspaceId, connectionId };
});

const inside = <T>(work: (trx: Trx) => Promise<T>) => database.inWorkspace(scope.workspaceId, work);
const ticket = (id: string) =>
  inside((trx) => trx.selectFrom("ticket").selectAll().where("id", "=", id).executeTakeFirstOrThrow());
const numbers = (organizationId = "1") =>
  inside((trx) =>
    trx.selectFrom("org_metric").selectAll().where("organization_id", "=", organizationId).executeTakeFirst(),
  );

describe("a page of tickets", () => {
  test("tells what it did, row by row", async () => {
    const first = ticketRow({ id: "1" });
    const same = ticketRow({ id: "2" });
    await inside((trx) => storeTickets(trx, scope, [first, same], now));
    const gone = ticketRow({ id: "1", generatedTimestamp: 1001, deletedAt: now, status: "deleted" });
    const result = await inside((trx) => storeTickets(trx, scope, [gone, same, ticketRow({ id: "3" })], now));
    expect({ ...result, ids: [...result.ids].sort() }).toEqual({
      read: 3,
      inserted: 1,
      updated: 0,
      unchanged: 1,
      deleted: 1,
      ids: ["1", "3"],
      left: [],
    });
  });

  test("never puts an older version over a newer one", async () => {
    await inside((trx) =>
      storeTickets(trx, scope, [ticketRow({ id: "1", generatedTimestamp: 2000, subject: "new" })], now),
    );
    const late = ticketRow({ id: "1", generatedTimestamp: 1999, subject: "old", organizationId: "2" });
    const result = await inside((trx) => storeTickets(trx, scope, [late], now));
    expect(result.unchanged).toBe(1);
    expect((await ticket("1")).subject).toBe("new");
    expect(await numbers("2")).toBeUndefined();
  });

  test("takes a second change in the same second, the later fetched", async () => {
    await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1", subject: "first" })], now));
    await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1", subject: "second" })], now));
    expect((await ticket("1")).subject).toBe("second");
  });

  test("takes one of tickets that never had metric sets, whatever it is (row 19)", async () => {
    const row = (reopens: number | null, lacksMetrics: boolean) =>
      ticketRow({ id: "1", reopens, lacksMetrics, subject: "same" });
    const changes = async (...rows: TicketRow[]) => {
      const results = [];
      for (const one of rows) results.push(await inside((trx) => storeTickets(trx, scope, [one], now)));
      return results.map(({ inserted, updated }) => inserted + updated);
    };
    expect(await changes(row(null, true), row(null, true), row(1, false), row(null, true))).toEqual([1, 1, 1, 0]);
  });

  test("may name a ticket twice: the highest version of it holds, wherever it stands", async () => {
    const rows = [
      ticketRow({ id: "1", generatedTimestamp: 1003, priority: "urgent" }),
      ticketRow({ id: "1", generatedTimestamp: 1001, priority: "low" }),
    ];
    const result = await inside((trx) => storeTickets(trx, scope, rows, now));
    expect(result).toMatchObject({ read: 2, inserted: 1, unchanged: 1 });
    expect((await ticket("1")).priority).toBe("urgent");
    expect(await numbers()).toMatchObject({ total: 1, unsolved_top: 1 });
  });

  test("that brings nothing new writes no row at all", async () => {
    const rows = Array.from({ length: 50 }, (_, index) => ticketRow({ id: String(index + 1) }));
    const written = () =>
      inside(async (trx) => {
        const tables = ["ticket", "ticket_payload", "org_metric", "org_day"] as const;
        const states = tables.map(
          (table) => sql`select ${sql.lit(table)} as t, xmin::text, ctid::text from ${sql.table(table)}`,
        );
        return (await sql`${sql.join(states, sql` union all `)} order by 1, 3`.execute(trx)).rows;
      });
    await inside((trx) => storeTickets(trx, scope, rows, now));
    const before = await written();
    const result = await inside((trx) => storeTickets(trx, scope, rows, now));
    expect(result).toMatchObject({ unchanged: 50, ids: [] });
    expect(await written()).toEqual(before);
  });

  test("keeps texts, tags and ids as they are, whatever they look like", async () => {
    const row = ticketRow({
      id: "9223372036854775807",
      organizationId: "-1",
      subject: '{"a",NULL} \\ 🚀 "q"',
      tags: ["NULL", "", 'say "hi"', "back\\slash", "{,}", "naïve 🚀"],
      createdAt: new Date("0001-01-01T00:00:00Z"),
      updatedAt: new Date("9999-12-31T23:59:59Z"),
    });
    await inside((trx) => storeTickets(trx, scope, [row], now));
    expect(await ticket(row.id)).toMatchObject({ subject: row.subject, tags: row.tags, organization_id: "-1" });
    expect((await ticket(row.id)).created_at).toEqual(row.createdAt);
    expect((await inside((trx) => rebuildMetrics(trx, scope.workspaceId, now))).differing).toBe(0);
  });

  test("keeps every payload apart: an empty one, and one that holds the separator they travel with", async () => {
    const payloads = async () =>
      (await inside((trx) => trx.selectFrom("ticket_payload").select("payload").orderBy("id").execute())).map(
        (row) => row.payload,
      );
    await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1", payload: "" })], now));
    expect(await payloads()).toEqual([""]);
    const texts = ["", '{"a":"\x1e"}', "", '{"b":"\\u001e \\" 🚀"}', "x"];
    const rows = texts.map((payload, i) => ticketRow({ id: String(i + 2), payload }));
    await inside((trx) => storeTickets(trx, scope, rows, now));
    expect(await payloads()).toEqual(["", "", '{"a":"\\u001e"}', "", '{"b":"\\u001e \\" 🚀"}', "x"]);
    await inside((trx) => storeTickets(trx, scope, [], now));
    expect(await payloads()).toHaveLength(6);
  });

  test("holds ids apart that differ beyond 2^53", async () => {
    await inside((trx) =>
      storeTickets(trx, scope, [ticketRow({ id: "9007199254740993" }), ticketRow({ id: "9007199254740994" })], now),
    );
    expect(await numbers()).toMatchObject({ total: 2 });
  });

  test("of 1,000 tickets of 200 organizations is as good as one by one", async () => {
    const rows = Array.from({ length: 1000 }, (_, i) =>
      ticketRow({ id: String(i + 1), organizationId: String(i % 200), priority: i % 3 ? "high" : null }),
    );
    expect(await inside((trx) => storeTickets(trx, scope, rows, now))).toMatchObject({ inserted: 1000 });
    expect((await inside((trx) => rebuildMetrics(trx, scope.workspaceId, now))).differing).toBe(0);
  });
});

describe("a deleted ticket", () => {
  test("counts nowhere, counts again when it is restored, and goes again", async () => {
    const seen: (number | undefined)[] = [];
    for (const [version, deletedAt] of [
      [1, null],
      [2, now],
      [3, null],
      [4, now],
    ] as const) {
      const row = ticketRow({
        id: "1",
        generatedTimestamp: version,
        deletedAt,
        status: deletedAt ? "deleted" : "open",
      });
      await inside((trx) => storeTickets(trx, scope, [row], now));
      seen.push((await numbers())?.total);
    }
    expect(seen).toEqual([1, 0, 1, 0]);
  });

  test("for good is forgotten in every text of it, and comes back whole if Zendesk shows the same version again", async () => {
    const row = ticketRow({ id: "1", subject: "secret word", payload: "secret word", tags: ["secret"] });
    const rating = ratingRow({ id: "5", ticketId: "1", comment: "secret word" });
    await inside((trx) => storeTickets(trx, scope, [row], now));
    await inside((trx) => storeRatings(trx, scope, [rating], now));
    const gone = await inside((trx) => tombstoneTickets(trx, scope, ["1", "2"], now));
    expect(gone).toMatchObject({ read: 2, deleted: 1, unchanged: 1, ids: ["1"] });
    expect(await numbers()).toMatchObject({ total: 0, w1_good: 0 });
    for (const table of ["ticket", "ticket_payload", "satisfaction_rating"] as const) {
      const rows = await inside(
        async (trx) => (await sql`select t::text from ${sql.table(table)} t`.execute(trx)).rows,
      );
      expect(JSON.stringify(rows)).not.toContain("secret");
    }
    await inside((trx) => storeTickets(trx, scope, [row], now));
    expect(await ticket("1")).toMatchObject({ subject: "secret word", deleted_at: null });
    expect(await numbers()).toMatchObject({ total: 1 });
  });
});

describe("ratings", () => {
  const given = (day: string) => new Date(`2026-11-${day}T12:00:00Z`);

  test("that came before their ticket count when it comes", async () => {
    const ratings = [
      ratingRow({ id: "1", ticketId: "7", category: "bad", ratedAt: given("18") }),
      ratingRow({ id: "2", ticketId: "7", category: "good", ratedAt: given("19") }),
    ];
    const result = await inside((trx) => storeRatings(trx, scope, ratings, now));
    expect(result.ids).toEqual(["7"]);
    await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "7", priority: "urgent" })], now));
    expect(await numbers()).toMatchObject({ w1_good: 1, w1_good_top: 1, w1_bad: 0 });
  });

  test("hold by the latest answer of either system; a later score that does not count displaces none", async () => {
    await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1" })], now));
    const steps: [Parameters<typeof ratingRow>[0], string][] = [
      [{ id: "1", ticketId: "1", category: "good", ratedAt: given("10") }, "good"],
      [{ id: "2", ticketId: "1", category: null, score: "offered", ratedAt: given("12") }, "good"],
      [{ id: "Z", system: "survey", ticketId: "1", category: "bad", ratedAt: given("11") }, "bad"],
      [{ id: "3", ticketId: "1", category: "neutral", ratedAt: given("11") }, "bad"],
      [{ id: "4", ticketId: "1", category: "neutral", ratedAt: given("13") }, "neutral"],
    ];
    for (const [rating, holding] of steps) {
      await inside((trx) => storeRatings(trx, scope, [ratingRow(rating)], now));
      const { w5_good, w5_neutral, w5_bad } = (await numbers()) ?? {};
      expect({ good: w5_good, neutral: w5_neutral, bad: w5_bad }, rating.id).toEqual({
        good: 0,
        neutral: 0,
        bad: 0,
        [holding]: 1,
      });
    }
  });

  test("that change again and again (good, bad, good with a comment) leave one rating", async () => {
    await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1" })], now));
    for (const [i, category] of (["good", "bad", "good"] as const).entries()) {
      const updatedAt = given(String(10 + i));
      const rating = ratingRow({ id: "1", ticketId: "1", category, ratedAt: updatedAt, updatedAt, comment: `v${i}` });
      await inside((trx) => storeRatings(trx, scope, [rating], now));
    }
    expect(await numbers()).toMatchObject({ w5_good: 1, w5_bad: 0 });
    const late = ratingRow({ id: "1", ticketId: "1", category: "bad", updatedAt: given("11") });
    expect(await inside((trx) => storeRatings(trx, scope, [late], now))).toMatchObject({ unchanged: 1, ids: [] });
  });
});

test("two workspaces with equal ids keep their numbers apart", async () => {
  const other = await database.workspace();
  const [connectionId = 0] = await database.inWorkspace(other, (trx) => makeConnections(trx, other, 1));
  await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1" }), ticketRow({ id: "2" })], now));
  await database.inWorkspace(other, (trx) =>
    storeTickets(trx, { workspaceId: other, connectionId }, [ticketRow({ id: "1", subject: "theirs" })], now),
  );
  expect(await numbers()).toMatchObject({ total: 2 });
  expect((await ticket("1")).subject).toBe("Ticket 1");
});

test("a row changed by hand is found and repaired by the rebuild", async () => {
  await inside((trx) => storeTickets(trx, scope, [ticketRow({ id: "1" })], now));
  await inside(async (trx) => {
    await sql`update org_metric set total = 7`.execute(trx);
    await sql`update org_day set created = 9`.execute(trx);
    await sql`update ticket set priority = 'urgent'`.execute(trx);
  });
  expect((await inside((trx) => rebuildMetrics(trx, scope.workspaceId, now))).differing).toBe(2);
  expect(await numbers()).toMatchObject({ total: 1, unsolved_top: 1 });
  expect((await inside((trx) => rebuildMetrics(trx, scope.workspaceId, now))).differing).toBe(0);
});

test("the workspace keeps count of its accounts, and the rebuild puts a wrong count right", async () => {
  const { workspaceId } = scope;
  const kept = () =>
    inside((trx) =>
      trx.selectFrom("workspace").select("accounts").where("id", "=", workspaceId).executeTakeFirstOrThrow(),
    );
  await inside(async (trx) => {
    for (const name of ["A", "B", "C"]) {
      const account = { external_id: name, name, owner_email: null, created_at: now, updated_at: now };
      await trx
        .insertInto("account")
        .values({ workspace_id: workspaceId, ...account })
        .execute();
      await rematchWorkspace(trx, workspaceId, now);
    }
  });
  expect(await kept()).toEqual({ accounts: 3 });
  await inside(async (trx) => {
    await trx.deleteFrom("account").where("external_id", "=", "B").execute();
    await rebuildMetrics(trx, workspaceId, now);
  });
  expect(await kept()).toEqual({ accounts: 2 });
});

test("pages stored at the same time by two writers leave right numbers", async () => {
  const page = (from: number) =>
    Array.from({ length: 40 }, (_, i) => ticketRow({ id: String(from + i), organizationId: String(i % 4) }));
  await Promise.all([1, 21, 41, 11].map((from) => inside((trx) => storeTickets(trx, scope, page(from), now))));
  expect((await inside((trx) => rebuildMetrics(trx, scope.workspaceId, now))).differing).toBe(0);
});

test("windows move with the day, and back with a clock that was wrong", async () => {
  const row = ticketRow({ id: "1", createdAt: new Date("2026-11-14T00:00:00Z") });
  await inside((trx) => storeTickets(trx, scope, [row], now));
  const weekOn = async (day: string) => {
    await inside((trx) => ensureMetricsDay(trx, scope.workspaceId, new Date(`${day}T12:00:00Z`)));
    return (await numbers())?.w1_created;
  };
  expect(await weekOn("2026-11-20")).toBe(1);
  expect(await weekOn("2026-11-21")).toBe(0);
  expect(await weekOn("2028-01-01")).toBe(0);
  expect(await weekOn("2026-11-20")).toBe(1);
  expect(await weekOn("2026-11-13")).toBe(0);
});

test("tickets at the first and the last second of a window's days count on the right side, over every change of clocks", async () => {
  const cases = [
    ["America/New_York", "2026-03-08"],
    ["America/New_York", "2026-11-01"],
    ["Europe/London", "2026-03-29"],
    ["Europe/London", "2026-10-25"],
    ["Australia/Lord_Howe", "2026-04-05"],
    ["Asia/Kathmandu", "2026-03-08"],
    ["Atlantic/Azores", "2026-10-25"],
    ["Africa/Cairo", "2026-04-24"],
  ] as const;
  const { startOfDay, addDays } = await import("#lib/metrics/windows.ts");
  for (const [zone, day] of cases) {
    const workspaceId = await database.workspace({ time_zone: zone, windows: [1, 7] });
    const [connectionId = 0] = await database.inWorkspace(workspaceId, (trx) => makeConnections(trx, workspaceId, 1));
    const start = startOfDay(zone, day).getTime();
    const end = startOfDay(zone, addDays(day, 1)).getTime();
    const instants = [start - 1000, start, start + 7_199_000, start + 7_200_000, end - 1000, end];
    const rows = instants.map((time, i) => ticketRow({ id: String(i + 1), createdAt: new Date(time) }));
    const counted = await database.inWorkspace(workspaceId, async (trx) => {
      await storeTickets(trx, { workspaceId, connectionId }, rows, new Date(end - 1000));
      return trx.selectFrom("org_metric").select(["w1_created", "w2_created"]).executeTakeFirstOrThrow();
    });
    expect(counted, `${zone} ${day}`).toEqual({ w1_created: 4, w2_created: 5 });
  }
});

describe("organizations", () => {
  test("carry their tickets with them when they change account, are deleted, and come back", async () => {
    const { workspaceId } = scope;
    await inside(async (trx) => {
      for (const externalId of ["A", "B"]) {
        await trx
          .insertInto("account")
          .values({
            workspace_id: workspaceId,
            external_id: externalId,
            name: externalId,
            owner_email: null,
            created_at: now,
            updated_at: now,
          })
          .execute();
      }
      await rematchWorkspace(trx, workspaceId, now);
      await putMatchKeys(trx, scope, [
        { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
      ]);
      await storeTickets(trx, scope, [ticketRow({ id: "1" }), ticketRow({ id: "2" })], now);
    });
    const totals = () =>
      inside((trx) => trx.selectFrom("account_metric").select(["total", "organizations"]).orderBy("name").execute());
    const organization = (updated: string, externalId: string, deletedAt: Date | null = null) =>
      inside((trx) =>
        storeOrganizations(
          trx,
          scope,
          [organizationRow({ id: "1", externalId, deletedAt, updatedAt: new Date(updated) })],
          now,
        ),
      );
    const none = { total: 0, organizations: 0 };
    const all = { total: 2, organizations: 1 };
    expect(await totals()).toEqual([none, none]);
    await organization("2026-11-01", "A");
    expect(await totals()).toEqual([all, none]);
    await organization("2026-11-02", "B");
    expect(await totals()).toEqual([none, all]);
    await organization("2026-11-01", "A");
    expect(await totals()).toEqual([none, all]);
    await organization("2026-11-03", "B", now);
    expect(await totals()).toEqual([none, none]);
    await organization("2026-11-04", "A");
    expect(await totals()).toEqual([all, none]);
    await inside((trx) => tombstoneOrganizations(trx, scope, ["1"], now, new Map([["1", "2"]])));
    expect(await totals()).toEqual([none, none]);
    expect(await inside((trx) => trx.selectFrom("organization").select("merged_into").execute())).toEqual([
      { merged_into: "2" },
    ]);
    await organization("2026-11-04", "A");
    expect(await totals()).toEqual([all, none]);
  });

  test("lose and change custom field values with their newest version", async () => {
    const fields = () =>
      inside((trx) => trx.selectFrom("organization_field_value").select(["key", "value"]).orderBy("key").execute());
    const store = (updated: string, values: [string, string][]) =>
      inside((trx) =>
        storeOrganizations(
          trx,
          scope,
          [organizationRow({ id: "1", fields: values, updatedAt: new Date(updated) })],
          now,
        ),
      );
    await store("2026-11-01", [
      ["crm", "1"],
      ["site", "x"],
      ["__proto__", "p"],
    ]);
    await store("2026-11-02", [
      ["crm", "2"],
      ["__proto__", "p"],
    ]);
    await store("2026-11-01", [["crm", "old"]]);
    expect(await fields()).toEqual([
      { key: "__proto__", value: "p" },
      { key: "crm", value: "2" },
    ]);
  });
});
