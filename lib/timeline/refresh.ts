import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { buildTimeline, type Moment } from "./build.ts";
import { formatMoves } from "./kinds.ts";
import { deleteEntries, readEntries, type StoredEntry, writeEntries } from "./store/entries.ts";
import { readHistories, readStatusCategories, type StoredHistory, ticketsOfCustomStatuses } from "./store/histories.ts";

/**
 * Builds the timeline entries of these tickets again and writes what differs. Called in the transaction of the page that
 * changed the tickets, their events or their ratings; ids of tickets that have not come yet are passed over.
 */
export async function refreshTimeline(trx: Trx, scope: Scope, ticketIds: string[], _now: Date): Promise<void> {
  if (ticketIds.length === 0) return;
  const ids = [...new Set(ticketIds)];
  const categories = await readStatusCategories(trx, scope);
  const histories = await readHistories(trx, scope, ids);
  const stored = new Map((await readEntries(trx, scope, ids)).map((entry) => [keyOf(entry), entry]));
  const changed: StoredEntry[] = [];
  for (const history of histories) {
    for (const moment of buildTimeline(history, categories)) {
      const entry = entryOf(history, moment);
      const key = keyOf(entry);
      const known = stored.get(key);
      stored.delete(key);
      if (!known || differ(known, entry)) changed.push(entry);
    }
  }
  await deleteEntries(trx, scope, [...stored.values()]);
  await writeEntries(trx, scope, changed);
}

/** So many tickets are built at once. */
const BATCH = 2000;

/** After custom statuses came or changed: the entries that depend on what their words mean. */
export async function refreshCustomStatuses(trx: Trx, scope: Scope, now: Date): Promise<void> {
  const ids = await ticketsOfCustomStatuses(trx, scope);
  for (let at = 0; at < ids.length; at += BATCH) await refreshTimeline(trx, scope, ids.slice(at, at + BATCH), now);
}

function entryOf(history: StoredHistory, moment: Moment): StoredEntry {
  return {
    ticketId: history.ticketId,
    kind: moment.kind,
    occurredAt: moment.occurredAt,
    organizationId: history.organizationId,
    priorityThen: moment.priorityThen,
    derived: moment.derived,
    moves: moment.kind === "ticket_escalated" ? formatMoves(moment.moves) : null,
    comment: moment.comment,
  };
}

function keyOf(entry: StoredEntry): string {
  return `${entry.ticketId} ${entry.kind} ${entry.occurredAt.getTime()}`;
}

function differ(a: StoredEntry, b: StoredEntry): boolean {
  return (
    a.organizationId !== b.organizationId ||
    a.priorityThen !== b.priorityThen ||
    a.derived !== b.derived ||
    a.moves !== b.moves ||
    a.comment !== b.comment
  );
}
