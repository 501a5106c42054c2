import { inWorkspace, type Trx } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { listDestinations } from "#lib/destinations/destinations.ts";
import { dueNotices, isPutAway, isUndecided } from "#lib/notifications/due.ts";
import type { ConnectionFacts, DueNotice } from "#lib/notifications/facts.ts";
import { readFacts } from "#lib/notifications/store/facts.ts";
import {
  changeWords,
  clearNotice,
  deleteNotices,
  insertNotice,
  lastMailedAt,
  readOpen,
} from "#lib/notifications/store/notices.ts";

const hour = 3_600_000;
/** What comes and goes is not written about more often than this. */
const quietMs = 6 * hour;
const keptMs = 365 * 24 * hour;
/** A workspace has a handful. */
const mostDestinations = 500;

/** Makes a workspace's open notices those that its facts call for: raises, keeps with their words of today, or clears. */
export function keepNotices(ctx: Pick<Context, "db">, workspaceId: number, now: Date): Promise<void> {
  return inWorkspace(ctx.db, workspaceId, async (trx) => {
    const facts = await factsOf(trx, workspaceId, now);
    const known = new Map(facts.map((connection) => [connection.connectionId, connection]));
    const due = new Map(facts.map((connection) => [connection.connectionId, dueNotices(connection, now)]));
    const open = await readOpen(trx, workspaceId);
    for (const notice of open) {
      const wanted = due.get(notice.connection_id);
      const same = wanted?.find(({ code }) => code === notice.code);
      if (!same) {
        const connection = known.get(notice.connection_id);
        if (connection && isUndecided(connection, notice.code)) continue;
        // A connection that rests, fails as a whole or was put away is no good news, and a nearer end of the same thing neither.
        const isNearer = wanted?.some((other) => isCountdown(other, notice)) === true;
        const quietly = !connection || isPutAway(connection, notice.code, now) || isNearer;
        await clearNotice(trx, workspaceId, notice.id, now, { quietly });
      } else if (same.message !== notice.message || same.action !== notice.action) {
        await changeWords(trx, workspaceId, notice.id, same);
      }
    }
    for (const [connectionId, notices] of due) {
      for (const notice of notices) {
        if (open.some((one) => one.connection_id === connectionId && one.code === notice.code)) continue;
        const since = new Date(now.getTime() - quietMs);
        const told = await lastMailedAt(trx, workspaceId, connectionId, notice.code, since);
        const mailAt = told ? new Date(told.getTime() + quietMs) : now;
        await insertNotice(trx, workspaceId, connectionId, notice, { raised: now, mailAt });
      }
    }
    await deleteNotices(trx, workspaceId, new Date(now.getTime() - keptMs));
  });
}

async function factsOf(trx: Trx, workspaceId: number, now: Date): Promise<ConnectionFacts[]> {
  const connections = await readFacts(trx, workspaceId);
  const { items } = await listDestinations(trx, workspaceId, { limit: mostDestinations }, now);
  return connections.map((facts) => ({
    ...facts,
    destinations: items.filter(({ connectionId }) => connectionId === String(facts.connectionId)),
  }));
}

/** `api_token_ends:7` after `api_token_ends:30`. */
function isCountdown(later: Pick<DueNotice, "code">, former: Pick<DueNotice, "code">): boolean {
  const [kind] = former.code.split(":");
  return (kind === "api_token_ends" || kind === "login_ends") && later.code.startsWith(`${kind}:`);
}
