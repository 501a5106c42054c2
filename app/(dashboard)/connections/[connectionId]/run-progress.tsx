import { useCount } from "#app/_ui/num.tsx";
import { Progress } from "#app/_ui/progress.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { type Run, streamNames, streamTitles } from "#lib/connections/shapes.ts";

/** How far a live run is: streams that are through, and what it reads now or waits for. */
export function RunProgress({ run }: { run: Run }) {
  const count = useCount();
  const reading = run.streams.find(({ state }) => state === "running");
  const through = run.streams.filter(({ state }) => state !== "running" && state !== "waiting").length;
  const rows = run.streams.reduce((sum, stream) => sum + stream.rows.read, 0);
  return (
    <div className="max-w-xl">
      <Progress
        label={reading ? `Reading ${streamTitles[reading.name].toLowerCase()}` : "Waiting for its turn"}
        value={run.streams.length > 0 ? through : null}
        max={streamNames.length}
        detail={`${count(rows)} rows · ${through} of ${streamNames.length} streams through`}
      />
      {run.state === "waiting" && run.waitingUntil && (
        <p className="mt-1 text-table text-muted">
          Zendesk asks to wait; it goes on <RelativeTime at={run.waitingUntil} />.
        </p>
      )}
    </div>
  );
}
