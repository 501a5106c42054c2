import type { Destination } from "#lib/destinations/shapes.ts";
import type { DueNotice } from "#lib/notifications/facts.ts";

/** What is told of a destination: the kind of trouble, and after the colon its id. */
const destinationCode = /^(writing_paused|writing_ended|writing_blocked|writing_unanswered|dead_letters):(.+)$/;

/** The kind of a code that tells of a destination and the destination's id; null for any other code. Pure. */
export function aboutDestination(code: string): { kind: string; id: string } | null {
  const [, kind, id] = destinationCode.exec(code) ?? [];
  return kind === undefined || id === undefined ? null : { kind, id };
}

const kinds = { paused: "writing_paused", disconnected: "writing_ended", read_only: "writing_blocked" } as const;

/**
 * What keeps a destination that is on from writing, and what became of its writes: one rule for the notices and the screens.
 * Neither hides the other. That its connection's login or address fails the connection itself tells. Pure.
 */
export function writingTroubles({
  id,
  name,
  state,
  blocked,
  unanswered,
  failing,
}: Pick<Destination, "id" | "name" | "state" | "blocked" | "unanswered" | "failing">): DueNotice[] {
  if (state !== "on") return [];
  const found: DueNotice[] = [];
  if (blocked && blocked.code !== "login") {
    const message = `“${name}” is on, and nothing is written: ${blocked.reason}`;
    found.push({ code: `${kinds[blocked.code]}:${id}`, message, action: blocked.fix });
  }
  if (!blocked && unanswered)
    found.push({
      code: `writing_unanswered:${id}`,
      message: `“${name}”: ${unanswered.reason}`,
      action: unanswered.fix,
    });
  if (failing) found.push({ code: `dead_letters:${id}`, message: `“${name}”: ${failing.reason}`, action: failing.fix });
  return found;
}
