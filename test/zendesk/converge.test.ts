import { describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();

describe("a first sync and those after it", () => {
  it.each([1, 2, 3])("arrive at the account's truth, field by field (world %i)", async (seed) => {
    const world = randomWorld(seed, { tickets: 120, days: 60, settings: { deletedOrganizationsInExport: true } });
    const account = await connect(database, world);
    await account.sync();
    for (let n = 0; n < 3; n++) {
      world.advance(3 * DAY);
      const outcome = await account.sync();
      expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    }
    world.advance(HOUR);
    await account.sync();
    await expectConverged(account);
  });
});
