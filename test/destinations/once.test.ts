import { expect, test } from "vitest";
import { runWriteChaos } from "#test/destinations/chaos/run.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();

// Fresh seeds are for `npm run chaos:writes`.
test.each([1, 2])(
  "through lost answers, refusals and kills every event has its effect once, or says why not (seed %i)",
  async (seed) => {
    const report = await runWriteChaos({ db: database.db, seed, events: 150 });
    expect(report.violations, JSON.stringify(report, null, 2)).toEqual([]);
    expect(report.kills).toBeGreaterThan(0);
    expect(report.faults).toBeGreaterThan(20);
    expect(report.inStorm.done).toBeGreaterThan(50);
    expect(Object.keys(report.effects)).toEqual(
      expect.arrayContaining(["user.updated", "organization.updated", "membership.created", "membership.removed"]),
    );
    expect(Object.keys(report.effects)).toEqual(
      expect.arrayContaining(["ticket.created", "ticket.updated", "customer_event.received"]),
    );
  },
  120_000,
);
