import { expect, it } from "vitest";
import type { TicketChange } from "#lib/timeline/audits.ts";
import { buildTimeline } from "#lib/timeline/build.ts";
import { escalations, formatMoves } from "#lib/timeline/kinds.ts";
import { eventsOf, expectedOf, liveOf, pick, seeded, shuffled, solvedAtOf } from "./world.ts";

const begin = 1_760_000_000;
const topSets = [["high", "urgent"], ["urgent"], ["normal", "high", "urgent"], ["low"]];

it("any life of a ticket, told in any order and from any moment on, gives each transition once", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const random = seeded(seed);
    const life = liveOf(random, String(seed), begin);
    const historyStart = random() < 0.5 ? 0 : pick(random, life.updates).second + pick(random, [0, 1]);
    const top = pick(random, topSets);
    const solvedAt = solvedAtOf(life);
    const changes: TicketChange[] = eventsOf(life, historyStart).map((row) => ({
      ...row,
      auditId: row.id,
      position: 0,
    }));
    const moments = buildTimeline(
      {
        createdAt: new Date((life.updates[0]?.second ?? 0) * 1000),
        solvedAt: solvedAt === null ? null : new Date(solvedAt * 1000),
        priority: life.updates.at(-1)?.priority ?? null,
        deleted: false,
        changes: shuffled(random, changes),
        badRatings: [],
      },
      new Map(),
    );
    const entering = escalations(top);
    const told = moments
      .filter(
        (m) =>
          m.kind !== "ticket_escalated" ||
          formatMoves(m.moves)
            .split(" ")
            .some((move) => entering.includes(move)),
      )
      .map(
        (m) =>
          `${seed} ${m.kind} ${m.occurredAt.getTime() / 1000} ${m.kind === "ticket_escalated" ? "" : (m.priorityThen ?? "none")} ${m.derived}`,
      );
    expect(told.sort(), `seed ${seed}`).toEqual(expectedOf(life, historyStart, top).sort());
  }
});
