import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import type { AskedPage } from "#lib/zendesk/ask-page.ts";
import type { FailureWords } from "#lib/zendesk/failures.ts";
import type { MadePage } from "#lib/zendesk/page-rows.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { knowsMetrics } from "#lib/zendesk/store/facts.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";

/**
 * The span of the tickets whose metric sets Zendesk left out of whole pages (zendesk-api section 3.6): the version of the first and of
 * the last, in Unix seconds. It shrinks with every page that shows its beginning whole.
 */
interface Owed {
  from: number;
  to: number;
  /** Zendesk has told others; else it may have none to tell. */
  isTold: boolean;
}

/**
 * Notes what a page of tickets left out, or has brought. `through`: the newest version that its reading has seen; `end`: there is
 * no other behind it.
 */
export async function noteMetrics(
  trx: Trx,
  scope: Scope,
  page: AskedPage,
  made: MadePage,
  { through, end }: { through: number | null; end: boolean },
  now: Date,
): Promise<void> {
  const owed = await readOwed(trx, scope);
  const rows = made.items.flatMap((item) => item.rows) as TicketRow[];
  if (page.isBare) {
    // Tickets that others have brought meanwhile count at the end: looking for one at every page would read all of them each time.
    const isTold = owed?.isTold || ((!owed || end) && (await knowsMetrics(trx, scope)));
    const versions = rows.map((row) => row.generatedTimestamp);
    if (owed) versions.push(owed.from, owed.to);
    if (versions.length > 0)
      await saveOwed(trx, scope, { from: Math.min(...versions), to: Math.max(...versions), isTold }, now);
  } else if (owed) {
    // A second may go on from one page to the next.
    const before = page.from.through ?? page.from.start - 1;
    const shown = end ? Number.POSITIVE_INFINITY : (through ?? before);
    const from = before < owed.from ? Math.max(owed.from, shown + 1) : owed.from;
    const isTold = owed.isTold || rows.some((row) => row.reopens !== null);
    await saveOwed(trx, scope, from > owed.to ? null : { ...owed, from, isTold }, now);
  }
}

/** The version, in Unix seconds, from which on metric sets are owed; null: none are. */
export async function metricsOwedSince(trx: Trx, scope: Scope): Promise<number | null> {
  return (await readOwed(trx, scope))?.from ?? null;
}

/** What is missing where an account gives metric sets and left some out; one that never gave any is as it is (row 56). */
export async function metricsDoubt(trx: Trx, scope: Scope, name: StreamName): Promise<FailureWords | null> {
  if (name !== "tickets" || !(await readOwed(trx, scope))?.isTold) return null;
  return {
    code: "missing_metrics",
    message:
      "Zendesk left out of its answers when some tickets were solved and how often they were reopened; what was known of it stays, everything else is stored.",
    action:
      "Nothing to do: it is asked for again, that of the past year by the next night. If it lasts, choose “Read everything again” in the settings of this connection.",
  };
}

async function readOwed(trx: Trx, scope: Scope): Promise<Owed | null> {
  const { position = null } = (await readStreamState(trx, scope, "tickets", "metric_sets")) ?? {};
  return position === null ? null : (JSON.parse(position) as Owed);
}

function saveOwed(trx: Trx, scope: Scope, owed: Owed | null, now: Date): Promise<void> {
  const position = owed && JSON.stringify(owed);
  return saveStreamState(trx, scope, "tickets", "metric_sets", { position }, now);
}
