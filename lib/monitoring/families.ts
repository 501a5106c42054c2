import { mostCounted } from "#lib/destinations/shapes.ts";
import type { WorkspaceState } from "#lib/monitoring/store.ts";

export interface Sample {
  labels: Record<string, string | number>;
  value: number;
}

/** A Prometheus gauge whose values stand in the database; each sample is labelled with its workspace besides. */
export interface Family {
  name: string;
  help: string;
  labels: string[];
  samples: (state: WorkspaceState) => Sample[];
}

/** Unknown is not zero: what was never read is infinitely old, so that a rule on its age fires. */
const ageOf = (seconds: number | null) => seconds ?? Number.POSITIVE_INFINITY;
/** A clock that is a little behind the writer's makes no negative age. */
const elapsed = (seconds: number | null) => Math.max(0, seconds ?? 0);
const isReadByTheClock = ({ state }: { state: string }) => state === "active" || state === "failing";

const ofStream = ["connection", "stream"];
const differences = ["missing", "extra", "older", "different"] as const;
const ofRun = ["connection", "mode", "state"];

export const families: Family[] = [
  {
    name: "bellwether_connection_state",
    help: "1 for the state that a connection is in.",
    labels: ["connection", "subdomain", "state"],
    samples: ({ connections }) =>
      connections.map(({ id, subdomain, state }) => ({ labels: { connection: id, subdomain, state }, value: 1 })),
  },
  {
    name: "bellwether_sync_overdue_seconds",
    help: "Time since a connection's next sync was due; 0 before, and while a run goes on. It grows when nobody keeps the schedule.",
    labels: ["connection"],
    samples: ({ connections }) =>
      connections
        .filter(isReadByTheClock)
        .map(({ id, overdue }) => ({ labels: { connection: id }, value: elapsed(overdue) })),
  },
  {
    name: "bellwether_stream_freshness_seconds",
    help: "Age of the instant through which nothing visible is missing; +Inf before the first whole reading.",
    labels: ofStream,
    samples: ({ streams }) =>
      streams
        .filter(({ state }) => state !== "not_available")
        .map(({ connectionId, stream, freshness }) => ({
          labels: { connection: connectionId, stream },
          value: ageOf(freshness),
        })),
  },
  {
    name: "bellwether_stream_state",
    help: "1 for the state that a stream is in.",
    labels: [...ofStream, "state"],
    samples: ({ streams }) =>
      streams.map(({ connectionId, stream, state }) => ({
        labels: { connection: connectionId, stream, state },
        value: 1,
      })),
  },
  {
    name: "bellwether_runs",
    help: "Runs by mode and state, of the 90 days that the database keeps: it also falls.",
    labels: ofRun,
    samples: ({ runs }) =>
      runs.map(({ connectionId, mode, state, runs: value }) => ({
        labels: { connection: connectionId, mode, state },
        value,
      })),
  },
  {
    name: "bellwether_run_last_end_timestamp_seconds",
    help: "When the last run of that kind ended.",
    labels: ofRun,
    samples: ({ runs }) =>
      runs.flatMap(({ connectionId, mode, state, lastEnd }) =>
        lastEnd ? [{ labels: { connection: connectionId, mode, state }, value: lastEnd.getTime() / 1000 }] : [],
      ),
  },
  {
    name: "bellwether_runs_pending",
    help: "Runs that were asked for and wait to begin or to go on.",
    labels: [],
    samples: ({ pending }) => [{ labels: {}, value: pending.runs }],
  },
  {
    name: "bellwether_runs_pending_oldest_seconds",
    help: "Age of the oldest of them; 0 without any.",
    labels: [],
    samples: ({ pending }) => [{ labels: {}, value: elapsed(pending.oldest) }],
  },
  {
    name: "bellwether_webhook_hints_waiting",
    help: "Rows that webhooks announced and that were not fetched yet.",
    labels: ["connection"],
    samples: ({ hints }) =>
      hints.map(({ connectionId, waiting }) => ({ labels: { connection: connectionId }, value: waiting })),
  },
  {
    name: "bellwether_webhook_hints_oldest_seconds",
    help: "Age of the oldest of them.",
    labels: ["connection"],
    samples: ({ hints }) =>
      hints.map(({ connectionId, oldest }) => ({ labels: { connection: connectionId }, value: elapsed(oldest) })),
  },
  {
    name: "bellwether_held_rows",
    help: "Rows in quarantine.",
    labels: ofStream,
    samples: ({ held }) =>
      held.map(({ connectionId, stream, rows }) => ({ labels: { connection: connectionId, stream }, value: rows })),
  },
  {
    name: "bellwether_absences_held",
    help: "Absent rows that wait for a person's approval.",
    labels: ofStream,
    samples: ({ absences }) =>
      absences.map(({ connectionId, stream, held }) => ({ labels: { connection: connectionId, stream }, value: held })),
  },
  {
    name: "bellwether_webhook_changes",
    help: "The newest changes that runs found, by whether a delivery of the webhook had told of them (yes, no): at least ten, where there were as many.",
    labels: ["connection", "told"],
    samples: ({ announced }) =>
      announced.flatMap(({ connectionId, told, untold }) => [
        { labels: { connection: connectionId, told: "yes" }, value: told },
        { labels: { connection: connectionId, told: "no" }, value: untold },
      ]),
  },
  {
    name: "bellwether_drift_rows",
    help: "Rows that the newest check of the past found missing, extra, older or different.",
    labels: [...ofStream, "difference"],
    samples: ({ drift }) =>
      drift.flatMap(({ connectionId, stream, ...found }) =>
        differences.map((difference) => ({
          labels: { connection: connectionId, stream, difference },
          value: found[difference],
        })),
      ),
  },
  {
    name: "bellwether_drift_unusual",
    help: "1 where these were more than a night usually mends, else 0.",
    labels: ofStream,
    samples: ({ drift }) =>
      drift.map(({ connectionId, stream, unusual }) => ({
        labels: { connection: connectionId, stream },
        value: unusual ? 1 : 0,
      })),
  },
  {
    name: "bellwether_notices_open",
    help: "Failures that administrators are being told of.",
    labels: [],
    samples: ({ notices }) => [{ labels: {}, value: notices }],
  },
  {
    name: "bellwether_deliveries",
    help: `Writes to Zendesk that are not done, by state: queued, sending, unknown, held, failed (but for those that a person has discarded); ${mostCounted} means as many or more.`,
    labels: ["destination", "state"],
    samples: ({ deliveries }) =>
      deliveries.map(({ destinationId, state, deliveries: value }) => ({
        labels: { destination: destinationId, state },
        value,
      })),
  },
  {
    name: "bellwether_deliveries_oldest_seconds",
    help: `Age of the oldest write that waits to be sent; where ${mostCounted} or more wait, it is as old or older.`,
    labels: ["destination"],
    samples: ({ deliveries }) =>
      deliveries
        .filter(({ state }) => state === "queued")
        .map(({ destinationId, oldest }) => ({ labels: { destination: destinationId }, value: elapsed(oldest) })),
  },
];
