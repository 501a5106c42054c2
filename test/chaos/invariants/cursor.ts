import type { ChaosAccount } from "../accounts.ts";
import type { Move } from "../chronicle.ts";
import type { Violation } from "../violation.ts";

interface Place {
  start: number;
  since: number;
  rows: number;
  restarts: number;
  at: string | null;
  through: number | null;
}

/** INV-CURSOR, by the database's own record of every move: never back but by a recorded re-reading, and only by who holds the lease. */
export function cursor(moves: readonly Move[], accounts: readonly ChaosAccount[]): Violation[] {
  return moves.flatMap((move) => {
    const account = accounts.find(({ scope }) => scope.connectionId === move.connectionId);
    return wrongs(move).map((wrong) => ({
      invariant: "INV-CURSOR" as const,
      what: `${account?.subdomain} ${move.stream} (${move.purpose}): ${wrong}`,
    }));
  });
}

function wrongs({ was, is, writer, holder, stream, purpose }: Move): string[] {
  const found: string[] = [];
  if (holder === null || !holder.endsWith(`/${writer}`))
    found.push(`written by ${writer} while ${holder ?? "nobody"} held the lease`);
  if (was?.fresh && (is.fresh === null || is.fresh < was.fresh)) found.push("what is claimed fresh went back");
  if (was?.resume && (is.resume === null || is.resume < was.resume)) found.push("the next start went back");
  const [before, now] = [placeOf(was?.position ?? null), placeOf(is.position)];
  if (!before || !now || was?.caughtUp || is.position === was?.position) return found;
  // Streams of several lists are read anew where some of them were kept from us.
  const anew = now.at === null && ["satisfaction_ratings", "fields"].includes(stream);
  const isRestart = now.restarts > before.restarts || anew;
  // The last page of a whole reading moves the incremental place, which is another reading.
  const isAnotherReading = now.start !== before.start && purpose === "incremental" && is.caughtUp;
  if (isRestart || isAnotherReading) return found;
  if (now.rows < before.rows)
    found.push(`the place went back from ${before.rows} to ${now.rows} rows without a recorded restart`);
  else if ((now.through ?? 0) < (before.through ?? 0))
    found.push("the place went back in time without a recorded restart");
  return found;
}

function placeOf(text: string | null): Place | null {
  return text === null ? null : (JSON.parse(text) as Place);
}
