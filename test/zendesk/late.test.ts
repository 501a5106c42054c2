import { expect, test } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";

const database = useDatabase();

/** Of each stream, what happens and then shows late: under `path`, where the rows that hold `id` of it are left out. */
const cases = {
  tickets: (world: World) => ({
    path: "/incremental/tickets/cursor",
    id: world.tickets.create({ subject: "Late" }).id,
  }),
  ticket_events: (world: World) => ({
    path: "/incremental/ticket_events",
    id: world.tickets.update("1", { priority: "urgent" }).id,
  }),
  users: (world: World) => ({ path: "/incremental/users/cursor", id: world.users.create({ name: "Late" }).id }),
  organizations: (world: World) => ({
    path: "/incremental/organizations",
    id: world.organizations.create({ name: "Late" }).id,
  }),
  groups: (world: World) => ({ path: "/groups", id: world.definitions.createGroup({ name: "Late" }).id }),
  satisfaction_ratings: (world: World) => {
    world.ratings.rate("1", "bad");
    return { path: "/satisfaction_ratings", id: "1" };
  },
};

function repairedOf(account: Account, runId: string) {
  return account.read(async (trx) => {
    const rows = await trx
      .selectFrom("sync_run_stream")
      .select(["stream", "repaired"])
      .where("run_id", "=", runId)
      .where("repaired", "<>", "0")
      .execute();
    return Object.fromEntries(rows.map(({ stream, repaired }) => [stream, Number(repaired)]));
  });
}

test.each(Object.entries(cases))(
  "%s that show after their stream was said to be fresh are counted by the run that finds them, once (row 12)",
  async (stream, happen) => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    const { id: organizationId } = world.organizations.create({ name: "Acme" });
    world.tickets.create({ subject: "Old", organizationId, status: "solved", priority: "low" });
    world.ratings.rate("1", "good");
    world.definitions.createGroup({ name: "First" });
    world.advance(DAY);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    const { path, id } = happen(world);
    const isIt = (row: Record<string, unknown>) => String(row.ticket_id ?? row.id) === id;
    const hidden = account.zendesk.faults.add(
      { path: `/api/v2${path}` },
      fault.changesRows("hidden", (rows) => rows.filter((row) => !isIt(row))),
    );
    world.advance(5 * MINUTE);
    expect(await repairedOf(account, (await account.sync()).runId)).toEqual({});
    hidden.remove();
    world.advance(5 * MINUTE);
    const found = await repairedOf(account, (await account.sync()).runId);
    expect(Object.keys(found)).toEqual([stream]);
    world.advance(5 * MINUTE);
    expect(await repairedOf(account, (await account.sync()).runId)).toEqual({});
  },
);
