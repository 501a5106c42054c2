import type { Status } from "#app/_ui/status.ts";
import type { Connection, Run, StreamName, StreamStatus } from "#lib/connections/shapes.ts";

export const connectionWords: Record<Connection["state"], { status: Status; words: string }> = {
  active: { status: "good", words: "active" },
  paused: { status: "watch", words: "paused" },
  failing: { status: "bad", words: "failing" },
  disconnected: { status: "unknown", words: "disconnected" },
  archived: { status: "unknown", words: "archived" },
};

export const streamWords: Record<StreamStatus["state"], { status: Status; words: string }> = {
  ok: { status: "good", words: "caught up" },
  running: { status: "running", words: "reading" },
  waiting: { status: "running", words: "waiting" },
  degraded: { status: "watch", words: "degraded" },
  failed: { status: "bad", words: "failed" },
  not_available: { status: "unknown", words: "not on this plan" },
};

/** What one row of a stream is. */
export const rowNouns: Record<StreamName, string> = {
  tickets: "Ticket",
  ticket_events: "Ticket event",
  users: "User",
  organizations: "Organization",
  groups: "Group",
  satisfaction_ratings: "Satisfaction rating",
  fields: "Field or status",
};

/** A held row by what it is and its key; memberships are held beside the users, whose list they come with. */
export function heldRowName(stream: StreamName, key: string): string {
  const membership = /^memberships:(.*)$/.exec(key);
  return membership ? `Membership ${membership[1]}` : `${rowNouns[stream]} ${key}`;
}

export const runWords: Record<Run["state"], { status: Status; words: string }> = {
  queued: { status: "running", words: "queued" },
  running: { status: "running", words: "running" },
  waiting: { status: "running", words: "waiting" },
  succeeded: { status: "good", words: "succeeded" },
  failed: { status: "bad", words: "failed" },
  interrupted: { status: "bad", words: "interrupted" },
};

export const modeWords: Record<Run["mode"], string> = {
  incremental: "Changes",
  reconcile: "Past-year check",
  full: "Everything again",
};

export const triggerWords: Record<string, string> = {
  first: "first sync",
  schedule: "schedule",
  cron: "cron route",
  person: "by a person",
  key: "by an API key",
};
