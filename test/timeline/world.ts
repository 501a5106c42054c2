import type { TicketEventRow } from "#lib/zendesk/row-types.ts";

/** A ticket's true life, second by second, and what a Zendesk would tell of it. Written without the code under test. */
export interface Life {
  ticketId: string;
  updates: { auditId: string; second: number; status: string; priority: string | null }[];
}

export type Random = () => number;
/** Mulberry32: the same seed gives the same lives. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
export const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
export function shuffled<T>(random: Random, values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

const priorities = [null, "low", "normal", "high", "urgent"];

export function liveOf(random: Random, ticketId: string, firstSecond: number): Life {
  let second = firstSecond;
  let status = pick(random, ["new", "open", "open", "solved"]);
  let priority = pick(random, priorities);
  let audit = Number(ticketId) * 1000;
  const updates = [{ auditId: String(audit), second, status, priority }];
  const length = Math.floor(random() * 12);
  for (let i = 0; i < length && status !== "closed"; i++) {
    second += Math.floor(random() ** 3 * 400);
    audit += 1 + Math.floor(random() * 5);
    if (random() < 0.7)
      status = pick(
        random,
        status === "solved"
          ? ["open", "pending", "closed", "solved"]
          : ["open", "hold", "pending", "solved", "solved", "closed"],
      );
    if (random() < 0.4) priority = pick(random, priorities);
    updates.push({ auditId: String(audit), second, status, priority });
  }
  return { ticketId, updates };
}

/** The rows that the ticket events export gives from `historyStart` on, in its order. */
export function eventsOf(life: Life, historyStart: number): TicketEventRow[] {
  const rows: TicketEventRow[] = [];
  life.updates.forEach(({ auditId, second, status, priority }, index) => {
    if (second < historyStart) return;
    const base = {
      id: auditId,
      ticketId: life.ticketId,
      occurredAt: new Date(second * 1000),
      updaterId: "1",
      previous: null,
    };
    const before = life.updates[index - 1];
    if (!before) {
      rows.push({ ...base, field: "created", kind: "create", value: null });
      rows.push({ ...base, field: "status", kind: "create", value: status });
      if (priority) rows.push({ ...base, field: "priority", kind: "create", value: priority });
      return;
    }
    if (before.status !== status)
      rows.push({ ...base, field: "status", kind: "change", value: status, previous: before.status });
    if (before.priority !== priority)
      rows.push({ ...base, field: "priority", kind: "change", value: priority, previous: before.priority });
  });
  return rows;
}

/** The instant of the latest solve that holds, in Unix seconds: what a metric set says. */
export function solvedAtOf(life: Life): number | null {
  let solved: number | null = null;
  let before = "";
  for (const { second, status } of life.updates) {
    if (status === "solved" && before !== "solved") solved = second;
    else if (status !== "solved" && status !== "closed") solved = null;
    before = status;
  }
  return solved;
}

const rankOf = (priority: string | null) => priorities.indexOf(priority);

/**
 * What the timeline must say, by brute force: `ticket kind second priority derived`, each (ticket, kind, second) once, the
 * higher priority where two fall together; escalations for one top set.
 */
export function expectedOf(life: Life, historyStart: number, top: readonly string[]): string[] {
  const found = new Map<string, { kind: string; second: number; priority: string | null; derived: boolean }>();
  const put = (kind: string, second: number, priority: string | null, derived: boolean) => {
    const known = found.get(`${kind} ${second}`);
    if (!known || rankOf(priority) > rankOf(known.priority))
      found.set(`${kind} ${second}`, { kind, second, priority, derived });
  };
  const told = life.updates.filter(({ second }) => second >= historyStart);
  const first = life.updates[0] as Life["updates"][number];
  const last = life.updates.at(-1) as Life["updates"][number];
  const firstMove = life.updates.findIndex(
    (update, i) => i > 0 && update.second >= historyStart && update.priority !== life.updates[i - 1]?.priority,
  );
  const early = firstMove > 0 ? (life.updates[firstMove - 1]?.priority ?? null) : last.priority;
  if (told[0] === first) put("ticket_created", first.second, first.priority, false);
  else put("ticket_created", first.second, early, true);
  life.updates.forEach(({ second, status, priority }, index) => {
    const before = life.updates[index - 1];
    if (second < historyStart) return;
    if (before && isTop(priority, top) && !isTop(before.priority, top)) put("ticket_escalated", second, "", false);
    if (status === "solved" && before?.status !== "solved") put("ticket_solved", second, priority, false);
    if (before?.status === "solved" && status !== "solved" && status !== "closed")
      put("ticket_reopened", second, priority, false);
  });
  const solvedAt = solvedAtOf(life);
  if (solvedAt !== null && solvedAt < historyStart) put("ticket_solved", solvedAt, early, true);
  return [...found.values()].map(
    ({ kind, second, priority, derived }) =>
      `${life.ticketId} ${kind} ${second} ${kind === "ticket_escalated" ? "" : (priority ?? "none")} ${derived}`,
  );
}

const isTop = (priority: string | null, top: readonly string[]) => priority !== null && top.includes(priority);
