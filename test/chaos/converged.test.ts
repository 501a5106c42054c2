import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { DAY } from "#test/support/zendesk/world/clock.ts";
import { connect } from "#test/zendesk/account.ts";
import type { ChaosAccount } from "./accounts.ts";
import { converged } from "./invariants/converged.ts";
import { phantomRows } from "./invariants/phantom.ts";

const database = useDatabase();
let account: ChaosAccount;

beforeAll(async () => {
  const settings = { satisfaction: "legacy", previousValues: true, deletedOrganizationsInExport: true } as const;
  const world = randomWorld(2, { tickets: 80, days: 30, settings });
  const { sync, workspaceId, connectionId } = await connect(database, world);
  await sync({ mode: "full" });
  world.advance(2 * DAY);
  await sync({ mode: "reconcile" });
  await database.inWorkspace(workspaceId, (trx) => trx.updateTable("connection").set({ state: "active" }).execute());
  account = { subdomain: world.subdomain, world, scope: { workspaceId, connectionId } } as ChaosAccount;
}, 60_000);

const wrongs = async () =>
  [...(await converged(database.db, account)), ...(await phantomRows(database.db, account))].map(({ what }) => what);

/** Changes the row, or the first of those, that `which` names, and gives where it is. */
function change(table: string, assignment: string, which: string): Promise<string> {
  return database.inWorkspace(account.scope.workspaceId, async (trx) => {
    const one = `select ctid from ${table} where ${which} order by ${table}::text limit 1`;
    const { rows } = await sql<{ ctid: string }>`
      update ${sql.table(table)} set ${sql.raw(assignment)} where ctid = (${sql.raw(one)}) returning ctid::text`.execute(
      trx,
    );
    expect(rows).toHaveLength(1);
    return `ctid = '${rows[0]?.ctid}'`;
  });
}

describe("that an account has converged", () => {
  it("is said of one that was read to its end", async () => {
    expect(await wrongs()).toEqual([]);
  });

  const second = "interval '1 second'";
  it.each([
    [
      "an event's time",
      "ticket_event",
      `occurred_at = occurred_at + ${second}`,
      `occurred_at = occurred_at - ${second}`,
      "field = 'status'",
      /^\w+: ticketEvents \d+:status:0 differs: at is/,
    ],
    [
      "what an event replaced",
      "ticket_event",
      "previous = '!' || previous",
      "previous = substr(previous, 2)",
      "field = 'priority' and previous is not null",
      /ticketEvents \d+:priority:0 differs: previous is "!/,
    ],
    [
      "an event that never was",
      "ticket_event",
      "id = id + 1000000000000000",
      "id = id - 1000000000000000",
      "field = 'group_id'",
      /ticket_event \d+ never existed/,
    ],
    [
      "a rating's comment",
      "satisfaction_rating",
      "comment = '!' || comment",
      "comment = substr(comment, 2)",
      "comment is not null",
      /ratings legacy:\d+ differs: comment is "!/,
    ],
    [
      "a rating that is nowhere",
      "satisfaction_rating",
      "id = '!' || id",
      "id = substr(id, 2)",
      "category = 'good'",
      /ratings legacy:\d+ is missing/,
    ],
    [
      "the time of a ticket's answer",
      "ticket",
      `rated_at = rated_at + ${second}`,
      `rated_at = rated_at - ${second}`,
      "rated_at is not null and deleted_at is null",
      /the rating of ticket \d+ is \d of/,
    ],
    [
      "a moment of the timeline",
      "timeline_entry",
      "occurred_at = occurred_at + interval '99 days'",
      "occurred_at = occurred_at - interval '99 days'",
      "kind = 'ticket_solved'",
      /ticket_solved of ticket \d+ at \S+ is in the timeline and never was/,
    ],
    [
      "a bad answer of the timeline",
      "timeline_entry",
      "occurred_at = occurred_at + interval '99 days'",
      "occurred_at = occurred_at - interval '99 days'",
      "kind = 'rating_bad'",
      /the bad answer legacy:\d+ about ticket \d+ is not in the timeline/,
    ],
  ])("is not said while %s is wrong", async (_what, table, assignment, back, which, words) => {
    const row = await change(table, assignment, which);
    const found = await wrongs();
    expect(
      found.some((what) => words.test(what)),
      found.join("\n") || "nothing was found",
    ).toBe(true);
    await change(table, back, row);
    expect(await wrongs()).toEqual([]);
  });
});
