import { expect, test } from "vitest";
import type { MetricSlot } from "#db/schema.ts";
import { metricDefinitions } from "#lib/metrics/definitions.ts";
import { metricKeys } from "#lib/metrics/shapes.ts";
import { updateWorkspace } from "#lib/workspace/store.ts";
import type { RatingRow, TicketRow } from "#lib/zendesk/row-types.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { useDatabase } from "#test/support/database.ts";
import { makeConnections } from "./history.ts";
import { randomFrom } from "./random.ts";
import { ratingRow, ticketRow } from "./rows.ts";

const database = useDatabase();
const now = new Date("2026-11-20T10:00:00Z");
const seeds = 1000;
const priorities = ["low", "normal", "high", "urgent"] as const;
const windowDays = 30;

interface Life {
  tickets: TicketRow[];
  ratings: RatingRow[];
}

/** The tickets of one organization, with every gap that real ones have. */
function lifeOf(seed: number): Life {
  const random = randomFrom(seed);
  const around = () => new Date(now.getTime() - random.int(0, 2 * windowDays) * 86_400_000);
  const tickets = Array.from({ length: random.int(1, 6) }, (_, n) =>
    ticketRow({
      id: String(seed * 100 + n),
      organizationId: String(seed),
      priority: random.pick([...priorities, null, "", "High", "splendid"]),
      status: random.pick(["new", "open", "pending", "hold", "solved", "closed", "Løst", null, ""]),
      createdAt: random.chance(0.05) ? null : around(),
      deletedAt: random.chance(0.1) ? now : null,
      merged: random.chance(0.1),
    }),
  );
  const ratings = tickets
    .filter(() => random.chance(0.6))
    .map(({ id }) =>
      ratingRow({
        id,
        ticketId: id,
        category: random.pick(["good", "neutral", "bad", null] as const),
        ratedAt: around(),
      }),
    );
  return { tickets, ratings };
}

const slot: MetricSlot = 1;
const answers = ["good", "neutral", "bad"] as const;
const columns = ["unsolved", `w${slot}_created`, ...answers.map((answer) => `w${slot}_${answer}` as const)] as const;
const topOf = {
  unsolved: "unsolved_top",
  w1_created: "w1_created_top",
  w1_good: "w1_good_top",
  w1_neutral: "w1_neutral_top",
  w1_bad: "w1_bad_top",
} as const;

test("the parts by priority, status and score add up to the whole, for 1,000 random organizations", async () => {
  const workspaceId = await database.workspace({ windows: [windowDays] });
  const inside = <T>(work: Parameters<typeof database.inWorkspace<T>>[1]) => database.inWorkspace(workspaceId, work);
  const [connectionId = 0] = await inside((trx) => makeConnections(trx, workspaceId, 1));
  const scope = { workspaceId, connectionId };
  const lives = Array.from({ length: seeds }, (_, n) => lifeOf(n + 1));
  await inside(async (trx) => {
    await storeTickets(
      trx,
      scope,
      lives.flatMap(({ tickets }) => tickets),
      now,
    );
    await storeRatings(
      trx,
      scope,
      lives.flatMap(({ ratings }) => ratings),
      now,
    );
  });
  const kept = () =>
    inside(async (trx) => {
      const rows = await trx
        .selectFrom("org_metric")
        .select(["organization_id", "total", ...columns, ...Object.values(topOf)])
        .where("workspace_id", "=", workspaceId)
        .execute();
      return new Map(rows.map((row) => [row.organization_id, row]));
    });

  const byPriority = new Map<string, Record<string, number>>();
  for (const top of priorities) {
    await inside((trx) => updateWorkspace(trx, workspaceId, { topPriorities: [top] }, now));
    for (const [id, row] of await kept()) {
      const sums = byPriority.get(id) ?? {};
      for (const column of columns) sums[column] = (sums[column] ?? 0) + row[topOf[column]];
      byPriority.set(id, sums);
    }
  }

  const isIn = (at: Date | null) => at !== null && now.getTime() - at.getTime() < windowDays * 86_400_000;
  const isUnsolved = ({ status }: TicketRow) => ["new", "open", "pending", "hold"].includes(status ?? "");
  const whole = await kept();
  for (const [n, { tickets, ratings }] of lives.entries()) {
    const id = String(n + 1);
    const counted = tickets.filter(({ deletedAt }) => deletedAt === null);
    const row = whole.get(id);
    const seed = `seed ${id}`;
    expect(row?.total ?? 0, seed).toBe(counted.length);
    if (!row) continue;
    // Those whose priority is none of the four: nobody's part, and still of the whole.
    const others = counted.filter(({ priority }) => !priorities.some((known) => known === priority));
    const given = (of: TicketRow[], answer: string) =>
      ratings.filter(
        ({ ticketId, category, ratedAt }) =>
          category === answer && isIn(ratedAt) && of.some((ticket) => ticket.id === ticketId),
      ).length;
    const rest: Record<(typeof columns)[number], number> = {
      unsolved: others.filter(isUnsolved).length,
      w1_created: others.filter(({ createdAt }) => isIn(createdAt)).length,
      w1_good: given(others, "good"),
      w1_neutral: given(others, "neutral"),
      w1_bad: given(others, "bad"),
    };
    for (const column of columns) {
      expect((byPriority.get(id)?.[column] ?? 0) + rest[column], `${column} of ${seed}`).toBe(row[column]);
    }
    const statuses = new Map<string | null, number>();
    for (const ticket of counted) statuses.set(ticket.status, (statuses.get(ticket.status) ?? 0) + 1);
    const unsolved = ["new", "open", "pending", "hold"].reduce((sum, status) => sum + (statuses.get(status) ?? 0), 0);
    expect(row.unsolved, seed).toBe(unsolved);
    const rated = answers.reduce((sum, answer) => sum + given(counted, answer), 0);
    expect(row.w1_good + row.w1_neutral + row.w1_bad, seed).toBe(rated);
  }
}, 120_000);

test("no metric is measured in business hours, which would need schedules and holidays that are not read", () => {
  expect(metricDefinitions.map(({ key }) => key)).toEqual([...metricKeys]);
  for (const { key, name, definition, unit } of metricDefinitions) {
    expect([key, ["tickets", "percent"].includes(unit)]).toEqual([key, true]);
    expect(`${key} ${name} ${definition}`).not.toMatch(/business|schedule|holiday|working|office|hours?\b|minutes?\b/i);
  }
});
