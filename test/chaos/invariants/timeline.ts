import type { Trx } from "#db/client.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { MINUTE } from "#test/support/zendesk/world/clock.ts";
import type { Ticket } from "#test/support/zendesk/world/rows.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import type { ChaosAccount } from "../accounts.ts";

export interface TimelineEntry {
  ticketId: string;
  kind: string;
  at: number;
}

export async function readTimeline(trx: Trx, { scope }: ChaosAccount): Promise<TimelineEntry[]> {
  const rows = await trx
    .selectFrom("timeline_entry")
    .select(["ticket_id", "kind", "occurred_at"])
    .where("connection_id", "=", scope.connectionId)
    .execute();
  return rows.map(({ ticket_id, kind, occurred_at }) => ({ ticketId: ticket_id, kind, at: occurred_at.getTime() }));
}

/**
 * What the timeline tells beside what the audits tell: each creation, solve, reopening and bad answer once, and nothing else.
 * Escalations are a matter of the workspace's top priorities; they have tests of their own.
 */
export function timelineWrongs(world: World, entries: readonly TimelineEntry[]): string[] {
  const should = truth(world);
  const isPlain = new Map([...world.tickets.byId.values()].map((ticket) => [ticket.id, speaksPlainly(ticket)]));
  const audited = new Set(
    should.transitions
      .filter(({ ticketId, kind }) => kind !== "ticket_escalated" && isPlain.get(ticketId))
      .map(({ ticketId, kind, at }) => `${kind} of ticket ${ticketId} at ${at}`),
  );
  const told = new Set(
    entries
      .filter(({ ticketId, kind }) => !["ticket_escalated", "rating_bad"].includes(kind) && isPlain.get(ticketId))
      .map(({ ticketId, kind, at }) => `${kind} of ticket ${ticketId} at ${second(at)}`),
  );
  const ofDeleted = entries
    .filter(({ ticketId }) => world.tickets.byId.get(ticketId)?.deleted)
    .map(({ ticketId, kind }) => `${kind} of ticket ${ticketId} is told, which is deleted`);
  const missing = [...audited].filter((one) => !told.has(one)).map((one) => `${one} is not in the timeline`);
  const extra = [...told].filter((one) => !audited.has(one)).map((one) => `${one} is in the timeline and never was`);
  return [...ofDeleted, ...missing, ...extra, ...badAnswers(world, entries)];
}

/** Both systems may tell of one answer, a minute apart at most; of answers that were changed, those are told that were read. */
function badAnswers(world: World, entries: readonly TimelineEntry[]): string[] {
  const bad = entries.filter(({ kind }) => kind === "rating_bad");
  const given = world.ratings.given.filter(({ score }) => score === "bad");
  const isNear = (a: number, b: number) => Math.abs(a - b) <= MINUTE;
  const extra = bad
    .filter(({ ticketId, at }) => !given.some((one) => one.ticketId === ticketId && second(one.at) === second(at)))
    .map(({ ticketId, at }) => `a bad answer about ticket ${ticketId} at ${second(at)} is told and was never given`);
  const missing = truth(world)
    .ratings.filter(({ category, ticketId }) => category === "bad" && !world.tickets.byId.get(ticketId)?.deleted)
    .filter(
      ({ ticketId, ratedAt }) =>
        !bad.some((entry) => entry.ticketId === ticketId && isNear(entry.at, Date.parse(ratedAt ?? ""))),
    )
    .map(({ id, ticketId }) => `the bad answer ${id} about ticket ${ticketId} is not in the timeline`);
  return [...extra, ...missing];
}

const ownWords = new Set(["new", "open", "pending", "hold", "solved", "closed", "deleted"]);

/** A status in words of the account's own is told by what those mean, which the audits do not say. */
function speaksPlainly({ audits, deleted, aiAgent }: Ticket): boolean {
  const words = audits.flatMap(({ changes }) => changes.filter(({ field }) => field === "status"));
  return !deleted && !aiAgent && words.every(({ value }) => ownWords.has(String(value)));
}

const second = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
