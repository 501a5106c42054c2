import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { countWords } from "#lib/number-words.ts";
import type { FailureWords } from "#lib/zendesk/failures.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { countHeld } from "#lib/zendesk/store/held-rows.ts";
import { lockStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";

export function heldWords(held: number): FailureWords {
  return {
    code: "held_rows",
    message: `${countWords(held)} ${held === 1 ? "row is" : "rows are"} held because of what ${held === 1 ? "it contains" : "they contain"}; everything else is stored.`,
    action:
      "Look at the held rows of this connection; one that is corrected in Zendesk leaves by itself, and one that never will be can be set aside.",
  };
}

/**
 * After rows were held, released or set aside outside of a run: a stream that nothing else is wrong with is degraded while it holds a
 * row that nobody has set aside, and is so no more once the last has left (row 55). One that is being read is judged at the end of its run.
 */
export async function weighHeldRows(trx: Trx, scope: Scope, name: StreamName, now: Date): Promise<void> {
  const known = await lockStreamState(trx, scope, name, "incremental");
  const isHeldDoubt = known?.state === "degraded" && known.failure_code === "held_rows";
  if (!isHeldDoubt && known?.state !== "ok") return;
  const held = await countHeld(trx, scope, name);
  if (held === 0 && !isHeldDoubt) return;
  const { code, message, action } = held > 0 ? heldWords(held) : { code: null, message: null, action: null };
  const since = held === 0 ? null : isHeldDoubt ? known.failure_since : now;
  const words = { failure_code: code, failure_message: message, failure_action: action, failure_since: since };
  await saveStreamState(trx, scope, name, "incremental", { state: held > 0 ? "degraded" : "ok", ...words }, now);
}
