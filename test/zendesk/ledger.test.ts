import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Trx } from "#db/client.ts";
import { maintain } from "#lib/jobs/maintenance.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import { enter } from "#lib/zendesk/ledger.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

/** A world in which one ticket a day was opened, solved and rated by a user of its own, for so many days. */
function worldOfDays(days: number): World {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const organization = world.at(new Date(world.now() - (days + 1) * DAY).toISOString(), () =>
    world.organizations.create({ name: "Acme" }),
  );
  for (let day = days; day > 0; day--) {
    world.at(new Date(world.now() - day * DAY).toISOString(), () => {
      const user = world.users.create({ name: `User ${day}`, organizationId: organization.id });
      const ticket = world.tickets.create({ subject: `Day ${day}`, requesterId: user.id, priority: "low" });
      world.tickets.update(ticket.id, { status: "solved" });
      world.ratings.rate(ticket.id, "good");
    });
  }
  return world;
}

async function night(account: Account, after = HOUR) {
  account.world.advance(after);
  return account.sync({ mode: "reconcile" });
}

/** A table of each stream, and a column of it that somebody may change by hand. */
const touched = [
  ["users", "zendesk_user", "name"],
  ["organizations", "organization", "external_id"],
  ["tickets", "ticket", "priority"],
  ["ticket_events", "ticket_event", "value"],
  ["satisfaction_ratings", "satisfaction_rating", "score"],
  ["groups", "zendesk_group", "name"],
  ["fields", "field_definition", "title"],
] as const;

const ledger = (account: Account, runId: string) =>
  account.read(async (trx) => ({
    days: await trx.selectFrom("drift_day").selectAll().where("run_id", "=", runId).orderBy("day").execute(),
    rows: await trx
      .selectFrom("drift_row")
      .select(["stream", "row_key", "difference", "repaired", "columns"])
      .where("run_id", "=", runId)
      .orderBy("stream")
      .orderBy("row_key")
      .execute(),
    repaired: Number(
      (
        await trx
          .selectFrom("sync_run_stream")
          .select((eb) => eb.fn.sum<string>("repaired").as("repaired"))
          .where("run_id", "=", runId)
          .executeTakeFirst()
      )?.repaired,
    ),
    seen: await trx.selectFrom("drift_seen").selectAll().where("connection_id", "=", account.connectionId).execute(),
  }));

const sumOf = (days: Record<string, unknown>[], stream: string, counter: string) =>
  days.filter((day) => day.stream === stream).reduce((sum, day) => sum + Number(day[counter]), 0);

describe("the ledger of a night", () => {
  it("names by stream and day what was missing, older and different, and all of it is repaired", async () => {
    const world = worldOfDays(20);
    const account = await connect(database, world);
    await account.sync();
    const [missing, older, different] = [...world.tickets.byId.keys()] as [string, string, string];
    await account.read(async (trx) => {
      await trx.deleteFrom("ticket").where("id", "=", missing).execute();
      await sql`update ticket set generated_timestamp = generated_timestamp - 5, subject = 'Old' where id = ${older}`.execute(
        trx,
      );
      await sql`update ticket set content_hash = 1, subject = 'Other' where id = ${different}`.execute(trx);
    });
    const { runId, verified, streams } = await night(account);
    expect(streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    const found = await ledger(account, runId);
    expect(found.rows).toEqual([
      { stream: "tickets", row_key: missing, difference: "missing", repaired: true, columns: [] },
      { stream: "tickets", row_key: older, difference: "older", repaired: true, columns: expect.any(Array) },
      { stream: "tickets", row_key: different, difference: "different", repaired: true, columns: ["subject"] },
    ]);
    expect(found.rows[1]?.columns.toSorted()).toEqual(["generated_timestamp", "subject"]);
    const dayOf = (id: string) => world.tickets.byId.get(id)?.generatedTimestamp as number;
    const days = found.days.filter((day) => day.stream === "tickets");
    for (const [id, counter] of [
      [missing, "missing"],
      [older, "older"],
      [different, "different"],
    ] as const) {
      const day = new Date(dayOf(id) * 1000).toISOString().slice(0, 10);
      expect(days.find((row) => row.day === day)).toMatchObject({ compared: "1", [counter]: "1", repaired: "1" });
    }
    expect(days).toHaveLength(20);
    expect(verified).toMatchObject({ tickets: 20, repaired: 3 });
    expect(found.repaired).toBe(3);
    expect(found.seen).toEqual([]);
    await expectConverged(account);
    const calm = await night(account);
    expect(calm.verified).toEqual({ tickets: 20, repaired: 0, metricsDiffering: 0 });
    expect((await ledger(account, calm.runId)).rows).toEqual([]);
  });

  it("holds, of every stream, a row that somebody deleted and one of which somebody changed a single column by hand", async () => {
    const world = worldOfDays(5);
    world.organizations.create({ name: "Second" });
    for (const name of ["First", "Second"]) world.definitions.createGroup({ name });
    world.definitions.createField("ticket", { key: "a", title: "A" });
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    const content = () =>
      account.read(async (trx) => {
        const tables: Record<string, string[]> = {};
        for (const [stream, table] of touched) {
          const { rows } = await sql<{ row: string }>`
            select (to_jsonb(x) - 'fetched_at')::text as row from ${sql.table(table)} x order by 1`.execute(trx);
          tables[stream] = rows.map(({ row }) => row);
        }
        return tables;
      });
    const before = await content();
    await account.read(async (trx) => {
      for (const [, table, column] of touched) {
        const pick = (order: string) => sql.raw(`ctid = (select ctid from ${table} order by id ${order} limit 1)`);
        await sql`delete from ${sql.table(table)} where ${pick("asc")}`.execute(trx);
        await sql`update ${sql.table(table)} set ${sql.ref(column)} = 'by hand' where ${pick("desc")}`.execute(trx);
      }
    });
    const { runId, verified } = await night(account);
    expect(await content()).toEqual(before);
    const { rows, days, repaired } = await ledger(account, runId);
    for (const [stream, , column] of touched) {
      expect(rows.find((row) => row.stream === stream && row.difference === "different")?.columns).toEqual([column]);
      const found = rows.filter((row) => row.stream === stream).map((row) => [row.difference, row.repaired]);
      expect([stream, ...found.sort()]).toEqual([stream, ["different", true], ["missing", true]]);
      const alsoListed = stream === "fields" ? world.definitions.customStatuses.size : 0;
      expect(sumOf(days, stream, "compared")).toBe((before[stream]?.length ?? 0) + alsoListed);
    }
    expect([verified?.repaired, repaired]).toEqual([14, 14]);
    expect((await night(account)).verified).toMatchObject({ repaired: 0, metricsDiffering: 0 });
  });

  it("holds rows that stand here in a later version than Zendesk has, and puts them right (rows 64, 124)", async () => {
    const account = await connect(database, worldOfDays(6));
    await account.sync();
    await account.read(async (trx) => {
      const someoneElses = sql`set updated_at = updated_at + interval '1 hour', content_hash = 1`;
      await sql`update ticket ${someoneElses}, subject = 'Foreign', generated_timestamp = generated_timestamp + 3600
                 where id in (select id from ticket order by id limit 3)`.execute(trx);
      await sql`update zendesk_user ${someoneElses}, name = 'Foreign'
                 where id = (select max(id) from zendesk_user)`.execute(trx);
      await sql`update organization ${someoneElses}, name = 'Foreign'`.execute(trx);
    });
    const first = await night(account);
    expect(first.verified).toMatchObject({ metricsDiffering: 0 });
    const { rows } = await ledger(account, first.runId);
    expect(rows.map(({ stream, difference, repaired }) => [stream, difference, repaired])).toEqual([
      ["organizations", "older", true],
      ...Array(3).fill(["tickets", "older", true]),
      ["users", "older", true],
    ]);
    await expectConverged(account);
    // An answer by id tells no `generated_timestamp`: the next night takes that of the export.
    await night(account);
    expect((await night(account)).verified).toMatchObject({ repaired: 0 });
  });

  it("leaves what is stored where Zendesk shows an older version than it has", async () => {
    const account = await connect(database, worldOfDays(6));
    const [id = ""] = account.world.tickets.byId.keys();
    account.world.tickets.update(id, { priority: "urgent" });
    account.world.advance(5 * MINUTE);
    await account.sync();
    account.zendesk.faults.add(
      { path: "/api/v2/incremental/tickets/cursor" },
      fault.changesRows("one of long ago", (rows) =>
        rows.map((row) =>
          String(row.id) === id
            ? { ...row, priority: "low", updated_at: "2026-02-25T09:00:00Z", generated_timestamp: 1772010000 }
            : row,
        ),
      ),
    );
    const { verified } = await night(account);
    expect(verified).toMatchObject({ repaired: 0 });
    expect((await stored(account)).tickets.find((row) => row.id === id)?.priority).toBe("urgent");
  });

  it("puts the numbers right that a change by hand has made wrong", async () => {
    const world = worldOfDays(5);
    const open = world.tickets.create({
      organizationId: [...world.organizations.byId.keys()][0] as string,
      priority: "low",
    });
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    const numbers = () =>
      account.read((trx) =>
        trx.selectFrom("org_metric").selectAll().where("connection_id", "=", account.connectionId).execute(),
      );
    const before = await numbers();
    await account.read((trx) =>
      trx.updateTable("ticket").set({ priority: "urgent" }).where("id", "=", open.id).execute(),
    );
    const { verified } = await night(account, MINUTE);
    expect(verified?.repaired).toBe(1);
    expect(verified?.metricsDiffering).toBeGreaterThan(0);
    expect(await numbers()).toEqual(before);
    expect((await night(account, MINUTE)).verified).toMatchObject({ repaired: 0, metricsDiffering: 0 });
  });

  it("counts rows that nothing in Zendesk stands for as extra, and removes none of them for that", async () => {
    const world = worldOfDays(5);
    const account = await connect(database, world);
    await account.sync();
    await account.read(async (trx) => {
      for (const table of ["ticket", "zendesk_user", "organization", "ticket_event"]) {
        const columns = sql.raw(
          {
            ticket: "generated_timestamp",
            zendesk_user: "updated_at",
            organization: "updated_at",
            ticket_event: "occurred_at",
          }[table] ?? "",
        );
        await sql`create temp table copy on commit drop as select * from ${sql.table(table)} order by ${columns} limit 1`.execute(
          trx,
        );
        await sql`update copy set id = 424242`.execute(trx);
        await sql`insert into ${sql.table(table)} select * from copy`.execute(trx);
        await sql`drop table copy`.execute(trx);
      }
    });
    const { runId, streams, verified } = await night(account);
    const { rows, days } = await ledger(account, runId);
    expect(
      rows.map(({ stream, row_key, difference, repaired }) => [stream, row_key.split(":")[0], difference, repaired]),
    ).toEqual(
      ["organizations", "ticket_events", "tickets", "users"].map((stream) => [stream, "424242", "extra", false]),
    );
    expect(sumOf(days, "tickets", "compared")).toBe(5);
    expect(verified).toMatchObject({ tickets: 5, repaired: 0 });
    expect(new Set(streams.map(({ state }) => state))).toEqual(new Set(["ok"]));
    const ids = await account.read((trx) =>
      trx.selectFrom("ticket").select("id").where("deleted_at", "is", null).execute(),
    );
    expect(ids.map(({ id }) => id)).toContain("424242");
    const later = await night(account, DAY);
    const second = (await ledger(account, later.runId)).rows.filter((row) => row.stream === "tickets");
    expect(second).toEqual([
      { stream: "tickets", row_key: "424242", difference: "extra", repaired: true, columns: [] },
    ]);
    const third = await night(account, DAY);
    expect((await ledger(account, third.runId)).rows.filter((row) => row.stream === "tickets")).toEqual([]);
  });

  it("is one, whether the check ran in one piece, in turns, or was killed and gone on with by another run", async () => {
    const world = worldOfDays(50);
    const account = await connect(database, world);
    await account.sync();
    await smallPages(account, 10);
    const ids = [...world.tickets.byId.keys()];
    const [missing, vanished] = [ids[3], ids[40]] as [string, string];
    await account.read((trx) => trx.deleteFrom("ticket").where("id", "=", missing).execute());
    world.tickets.vanish(vanished);
    world.advance(HOUR);
    let pages = 0;
    account.zendesk.faults.before({ path: "/api/v2/incremental/tickets/cursor" }, () => {
      pages++;
    });
    const fence = async () => {
      if (pages >= 5) throw new Error("killed");
    };
    await expect(account.sync({ mode: "reconcile", fence })).rejects.toThrow("killed");
    const [killed] = await account.read((trx) =>
      trx.selectFrom("drift_day").select("run_id").where("stream", "=", "tickets").where("missing", ">", "0").execute(),
    );
    expect(killed).toBeDefined();
    account.zendesk.faults.clear();
    const { runId } = await account.sync({ mode: "reconcile", deadline: () => true });
    let outcome = await account.sync({ mode: "reconcile", runId, deadline: () => true });
    for (let n = 0; n < 120 && outcome.waitingUntil; n++)
      outcome = await account.sync({ mode: "reconcile", runId, deadline: () => true });
    expect(outcome.waitingUntil).toBeUndefined();
    const { rows, days, repaired } = await ledger(account, runId);
    expect(rows.filter((row) => row.stream === "tickets")).toEqual([
      { stream: "tickets", row_key: missing, difference: "missing", repaired: true, columns: [] },
      { stream: "tickets", row_key: vanished, difference: "extra", repaired: false, columns: [] },
    ]);
    expect(sumOf(days, "tickets", "compared")).toBe(49);
    expect(outcome.verified).toMatchObject({ tickets: 49, repaired });
    const left = await account.read((trx) =>
      trx
        .selectFrom("drift_day")
        .select("run_id")
        .distinct()
        .where("connection_id", "=", account.connectionId)
        .where("stream", "not in", ["groups", "fields"])
        .execute(),
    );
    expect(left).toEqual([{ run_id: runId }]);
  });

  it("is gone on with where it was read to its end and killed before it was summed up", async () => {
    const world = worldOfDays(20);
    const account = await connect(database, world);
    await account.sync();
    const [vanished] = [...world.tickets.byId.keys()] as [string];
    world.tickets.vanish(vanished);
    world.advance(HOUR);
    const fence = async (trx: Trx) => {
      const state = await trx
        .selectFrom("stream_state")
        .select("caught_up")
        .where("connection_id", "=", account.connectionId)
        .where("stream", "=", "tickets")
        .where("purpose", "=", "reconcile")
        .executeTakeFirst();
      if (state?.caught_up) throw new Error("killed");
    };
    await expect(account.sync({ mode: "reconcile", fence })).rejects.toThrow("killed");
    const { runId, verified } = await account.sync({ mode: "reconcile" });
    expect(verified).toMatchObject({ tickets: 19 });
    const { rows, days } = await ledger(account, runId);
    expect(rows.filter((row) => row.stream === "tickets")).toEqual([
      { stream: "tickets", row_key: vanished, difference: "extra", repaired: false, columns: [] },
    ]);
    expect(sumOf(days, "tickets", "extra")).toBe(1);
  });

  it("counts a row that cannot be repaired once, however often it is shown, and once more when it is", async () => {
    const account = await connect(database, worldOfDays(1));
    const { runId } = await account.sync();
    const { workspaceId, connectionId } = account;
    const reading = { scope: { workspaceId, connectionId }, runId, clock: () => new Date() };
    const row = { key: "7", day: "2026-03-01", difference: "missing" as const, columns: [] };
    await account.read(async (trx) => {
      for (const repaired of [false, false, true]) await enter(trx, reading, "tickets", [{ ...row, repaired }]);
    });
    const { days, rows } = await ledger(account, runId);
    expect(days).toMatchObject([{ day: "2026-03-01", missing: "1", repaired: "1" }]);
    expect(rows).toEqual([{ stream: "tickets", row_key: "7", difference: "missing", repaired: true, columns: [] }]);
  });

  it("locks no row before the lock that all writers take first", async () => {
    const account = await connect(database, worldOfDays(3));
    await account.sync();
    const { workspaceId } = account;
    await account.read((trx) => trx.updateTable("ticket").set({ priority: "urgent" }).execute());
    account.world.advance(HOUR);
    let night: Promise<unknown> = Promise.resolve();
    await account.read(async (trx) => {
      await lockMetrics(trx, workspaceId);
      night = account.sync({ mode: "reconcile", streams: ["tickets"] });
      await expect
        .poll(
          async () =>
            (
              await sql`select from pg_locks where locktype = 'advisory' and objid = ${workspaceId}::oid and not granted`.execute(
                trx,
              )
            ).rows.length,
          { timeout: 20_000 },
        )
        .toBe(1);
      await sql`select from ticket where workspace_id = ${workspaceId} for update nowait`.execute(trx);
    });
    await night;
    await expectConverged(account);
  });

  it("keeps no stream waiting: while the year is compared, all of them are caught up at least every half interval", async () => {
    const world = worldOfDays(40);
    const account = await connect(database, world);
    await account.sync();
    await smallPages(account, 10);
    world.advance(HOUR);
    let oldest = 0;
    account.zendesk.faults.before({ path: /incremental|satisfaction/ }, async () => {
      world.advance(2 * MINUTE);
      const { rows } = await account.read((trx) =>
        sql<{ fresh: Date }>`select min(fresh_through) as fresh from stream_state
          where connection_id = ${account.connectionId} and purpose = 'incremental'`.execute(trx),
      );
      if (begun) oldest = Math.max(oldest, world.now() - (rows[0]?.fresh.getTime() ?? 0));
      begun ||= world.now() > start + 20 * MINUTE;
    });
    const start = world.now();
    let begun = false;
    const { verified } = await account.sync({ mode: "reconcile" });
    expect(verified).toMatchObject({ tickets: 40, repaired: 0 });
    expect(world.now() - start).toBeGreaterThan(90 * MINUTE);
    // Half an interval, and the time that a catch-up takes at two minutes a page.
    expect(oldest).toBeLessThanOrEqual(HOUR);
  });

  it("keeps no stream waiting either while Zendesk keeps a list beside the streams waiting", async () => {
    const world = worldOfDays(5);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.tooManyRequests({ retryAfter: "600" }),
    );
    const { runId, waitingUntil } = await account.sync({ mode: "reconcile" });
    expect(waitingUntil).toBeDefined();
    for (let waited = 0; waited < 6; waited++) {
      world.advance(12 * MINUTE);
      await account.sync({ mode: "reconcile", runId });
    }
    const late = world.tickets.create({ subject: "Late" });
    world.advance(40 * MINUTE);
    await account.sync({ mode: "reconcile", runId });
    expect((await stored(account)).tickets.map(({ id }) => id)).toContain(late.id);
  });

  it("is not written by a login that sees less, nor claimed where a stream could not be compared", async () => {
    const world = worldOfDays(5);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    account.zendesk.faults.add(
      {
        path: "/api/v2/incremental/ticket_events",
        when: (request) => Number(request.query.get("start_time")) < world.now() / 1000 - 86_400,
      },
      fault.status(403),
    );
    const refused = await account.sync({ mode: "reconcile" });
    expect(refused.verified).toBeUndefined();
    expect(refused.streams.find(({ name }) => name === "ticket_events")?.state).toBe("failed");
    account.zendesk.faults.clear();
    world.settings.agentSees = 0.1;
    world.users.changeRole(world.adminId, "agent");
    const blind = await night(account);
    expect(blind.verified).toBeUndefined();
    expect((await ledger(account, blind.runId)).rows).toEqual([]);
  });

  it("forgets days without a difference after fourteen checks, and everything after a year", async () => {
    const account = await connect(database, worldOfDays(1));
    const key = { workspace_id: account.workspaceId, connection_id: account.connectionId };
    const now = new Date(account.world.now());
    await account.read(async (trx) => {
      for (let n = 0; n < 20; n++) {
        const at = new Date(now.getTime() - (n === 0 ? 366 : 20 - n) * DAY);
        const { id } = await trx
          .insertInto("sync_run")
          .values({
            ...key,
            mode: "reconcile",
            trigger: "schedule",
            state: "succeeded",
            requested_at: at,
            finished_at: at,
          })
          .returning("id")
          .executeTakeFirstOrThrow();
        for (const [day, missing] of [
          ["2026-01-01", "0"],
          ["2026-01-02", "1"],
        ] as const) {
          await trx
            .insertInto("drift_day")
            .values({ ...key, run_id: id, stream: "tickets", day, compared: "5", missing })
            .execute();
        }
        const row = { row_key: "1", day: "2026-01-02", difference: "missing", repaired: true, found_at: at };
        await trx
          .insertInto("drift_row")
          .values({ ...key, run_id: id, stream: "tickets", ...row })
          .execute();
      }
    });
    await maintain(database.db, now);
    const left = await account.read((trx) =>
      trx.selectFrom("drift_day").select("day").where("connection_id", "=", account.connectionId).execute(),
    );
    expect(left.filter(({ day }) => day === "2026-01-01")).toHaveLength(14);
    expect(left.filter(({ day }) => day === "2026-01-02")).toHaveLength(19);
    const rows = await account.read((trx) =>
      trx.selectFrom("drift_row").select("run_id").where("connection_id", "=", account.connectionId).execute(),
    );
    expect(rows).toHaveLength(14);
  });
});

describe("rows that come late", () => {
  it("are counted as repaired by the hourly run that finds them", async () => {
    const world = worldOfDays(3);
    const account = await connect(database, world);
    await account.sync();
    world.showLate({ probability: 1, minimum: 10 * MINUTE, maximum: 12 * MINUTE, seed: 1 });
    world.advance(5 * MINUTE);
    const late = world.tickets.create({ subject: "Late" });
    world.advance(5 * MINUTE);
    const before = await account.sync();
    const repairedIn = (runId: string) =>
      account.read((trx) =>
        trx
          .selectFrom("sync_run_stream")
          .select("repaired")
          .where("run_id", "=", runId)
          .where("stream", "=", "tickets")
          .executeTakeFirstOrThrow(),
      );
    expect(await repairedIn(before.runId)).toEqual({ repaired: "0" });
    world.advance(10 * MINUTE);
    const after = await account.sync();
    expect(await repairedIn(after.runId)).toEqual({ repaired: "1" });
    const stored = await account.read((trx) =>
      trx.selectFrom("ticket").select("id").where("id", "=", late.id).execute(),
    );
    expect(stored).toHaveLength(1);
    world.tickets.update(late.id, { priority: "high" });
    world.showLate(null);
    world.advance(10 * MINUTE);
    expect(await repairedIn((await account.sync()).runId)).toEqual({ repaired: "0" });
  });
});

/** So many rows a page in both kinds of reading. */
async function smallPages(account: Account, size: number): Promise<void> {
  const key = { workspace_id: account.workspaceId, connection_id: account.connectionId };
  await account.read(async (trx) => {
    for (const stream of ["tickets", "users", "organizations", "ticket_events", "satisfaction_ratings"]) {
      await trx
        .insertInto("stream_state")
        .values({ ...key, stream, purpose: "reconcile", page_size: size, caught_up: true, updated_at: new Date() })
        .onConflict((conflict) =>
          conflict.columns(["workspace_id", "connection_id", "stream", "purpose"]).doUpdateSet({ page_size: size }),
        )
        .execute();
    }
  });
}
