import type { LiveRun } from "#lib/connections/overdue.ts";
import type { Destination } from "#lib/destinations/shapes.ts";
import type { LatestDrift } from "#lib/reports/ledger.ts";
import type { Announced } from "#lib/webhooks/lost.ts";

/** What is known of a connection, for judging which notices are due. Instants, lengths in minutes. */
export interface ConnectionFacts {
  connectionId: number;
  name: string;
  /** active | failing | paused; of a disconnected or archived one only what was to be written through it has notices. */
  state: string;
  failure: Failure | null;
  authType: string;
  /** Until then the sign-in can be renewed without a person, where known. */
  loginEndsAt: Date | null;
  clockSkewSeconds: number | null;
  intervalMinutes: number;
  streams: StreamFacts[];
  liveRun: LiveRun | null;
  /** What the newest check of the past found, stream by stream. */
  drift: DriftFacts[];
  /** Absent rows that wait for a person's word. */
  heldAbsences: number;
  webhook: WebhookFacts | null;
  /** What writes through it. */
  destinations: DestinationFacts[];
}

export type DestinationFacts = Pick<Destination, "id" | "name" | "state" | "blocked" | "unanswered" | "failing">;

export type DriftFacts = Omit<LatestDrift, "connectionId">;

export interface WebhookFacts {
  state: string;
  failure: Failure | null;
  checkedAt: Date | null;
  activeSince: Date | null;
  /** Of the newest changes, how many a delivery had told; null unless it works. */
  announced: Announced | null;
}

export interface StreamFacts {
  name: string;
  state: string;
  freshThrough: Date | null;
  /** When anything of it was last read or begun, in whichever kind of run. */
  movedAt: Date;
  failure: Failure | null;
}

export interface Failure {
  code: string;
  message: string;
  action: string;
}

/** A notice that should be open. */
export interface DueNotice {
  code: string;
  message: string;
  action: string;
}
