import { useNow } from "#app/_ui/clock.ts";
import { useCount } from "#app/_ui/num.tsx";
import { Progress } from "#app/_ui/progress.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { type Run, streamNames, streamTitles } from "#lib/connections/shapes.ts";

type RunProgressProps = {
  run: Run;
  /** It rests until the connection is resumed. */
  paused: boolean;
};

/** How far a live run is: streams that are through, and what it reads now or waits for. */
export function RunProgress({ run, paused }: RunProgressProps) {
  const count = useCount();
  const now = useNow();
  const through = run.streams.filter(({ state }) => state !== "running" && state !== "waiting").length;
  const rows = run.streams.reduce((sum, stream) => sum + stream.rows.read, 0);
  const until = now && waitsUntil(run, now);
  return (
    <div className="max-w-xl">
      <Progress
        label={doingWords(run, { paused, waits: until !== null })}
        value={run.streams.length > 0 ? through : null}
        max={streamNames.length}
        detail={`${count(rows)} rows · ${through} of ${streamNames.length} streams through`}
      />
      {paused ? (
        <p className="mt-1 text-table text-muted">It goes on where it stands when the connection is resumed.</p>
      ) : (
        until && (
          <p className="mt-1 text-table text-muted">
            Zendesk asked to wait or did not answer to the end; it goes on by itself <RelativeTime at={until} />.
          </p>
        )
      )}
    </div>
  );
}

/** The instant before which it asks Zendesk for nothing; null where it does not wait for one. */
function waitsUntil({ state, waitingUntil }: Run, now: Date): string | null {
  return state === "waiting" && waitingUntil !== null && Date.parse(waitingUntil) > now.getTime() ? waitingUntil : null;
}

function doingWords({ state, streams }: Run, { paused, waits }: { paused: boolean; waits: boolean }): string {
  if (paused) return "Paused";
  if (waits) return "Waiting to ask Zendesk again";
  if (state !== "running") return "Waiting for its turn";
  const reading = streams.find((stream) => stream.state === "running");
  return reading ? `Reading ${streamTitles[reading.name].toLowerCase()}` : "Waiting for Zendesk’s answer";
}
