import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { parseInstant, toSeconds } from "#lib/zendesk/dates.ts";
import { isNameless, partOf } from "#lib/zendesk/held-keys.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { keysNotMetSince, readHeldText, releaseRows } from "#lib/zendesk/store/held-rows.ts";

/** A reading of all there is since an instant, at its end. */
export interface WholeReading {
  /** The database's clock before its first page was asked for. */
  begun: Date;
  /** Unix second from which it read on; 0: everything. */
  since: number;
  /** Keys of rows without an id that it met. */
  met: ReadonlySet<string>;
  /** The stream's lists that showed it anything. */
  parts: ReadonlySet<string>;
}

/**
 * Lets held rows go that have no id to be known by and that a reading of everything did not meet again: what was wrong with them
 * was corrected in Zendesk, or they are there no more. One that is older than what was read stays, and so does one that does
 * not tell how old it is.
 */
export async function letUnmetGo(trx: Trx, scope: Scope, name: StreamName, whole: WholeReading): Promise<void> {
  const unmet = (await keysNotMetSince(trx, scope, name, whole.begun)).filter(
    (key) => isNameless(key, name) && !whole.met.has(key) && whole.parts.has(partOf(key, name)),
  );
  const gone: string[] = [];
  for (const key of unmet) {
    if (whole.since === 0 || (await stampOf(trx, scope, name, key)) >= whole.since) gone.push(key);
  }
  await releaseRows(trx, scope, name, gone);
}

/** By what Zendesk chooses the rows of a reading that begins at an instant: its first that is one. */
const stamps: Partial<Record<StreamName, readonly string[]>> = {
  tickets: ["generated_timestamp", "updated_at"],
  ticket_events: ["timestamp", "created_at"],
  satisfaction_ratings: ["created_at"],
};

/** Unix second of a held row as it came; −∞: it does not say. */
async function stampOf(trx: Trx, scope: Scope, name: StreamName, key: string): Promise<number> {
  const wire = parsed(await readHeldText(trx, scope, name, key));
  for (const field of stamps[name] ?? ["updated_at"]) {
    const instant = parseInstant(wire[field]);
    if (instant) return toSeconds(instant);
  }
  return Number.NEGATIVE_INFINITY;
}

function parsed(text: string | null): Record<string, unknown> {
  try {
    const wire = parseJson(text ?? "");
    return isObject(wire) ? wire : {};
  } catch {
    return {};
  }
}
