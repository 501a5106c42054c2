"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { Fragment } from "react";
import { connectionQueries, isLive } from "#app/_queries/connections.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { fadingEdges, useFadingEdges } from "#app/_ui/fading-edges.ts";
import { Num, useCount } from "#app/_ui/num.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import type { Run } from "#lib/connections/shapes.ts";
import { streamTitles } from "#lib/connections/shapes.ts";
import { modeWords, runWords, triggerWords } from "../connection-words.ts";
import { RunProgress } from "./run-progress.tsx";

/** What every run did, newest first; a live one shows how far it is. */
export function Runs({ id, paused }: { id: string; paused: boolean }) {
  const runs = useInfiniteQuery(connectionQueries.runs(id));
  const items = runs.data?.pages.flatMap((page) => page.items);
  return (
    <div className="max-w-5xl">
      <QueryStates
        query={{ ...runs, data: items }}
        what="the runs"
        skeleton={<SkeletonLines lines={8} />}
        isEmpty={(list) => list.length === 0}
        empty={<Empty kind="none" title="No run yet" />}
      >
        {(list) => (
          <ul className="-mt-2 divide-y divide-line">
            {list.map((run) => (
              <RunRow key={run.id} run={run} paused={paused} />
            ))}
          </ul>
        )}
      </QueryStates>
      {runs.hasNextPage && (
        <Button variant="ghost" busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
          Show earlier
        </Button>
      )}
    </div>
  );
}

function RunRow({ run, paused }: { run: Run; paused: boolean }) {
  const { status, words } = runWords[run.state];
  const live = isLive(run);
  const at = run.startedAt ?? run.requestedAt;
  return (
    <li className="py-2">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-0.5">
        <span className="w-28">
          <StatusDot status={status}>{words}</StatusDot>
        </span>
        <span className="font-medium">{modeWords[run.mode]}</span>
        <span className="text-table text-muted">{triggerWords[run.trigger] ?? run.trigger}</span>
        <span className="ms-auto text-table text-muted">
          <RelativeTime at={at} />
          {run.finishedAt && ` · ${duration(at, run.finishedAt)}`}
        </span>
      </div>
      {live && <RunProgress run={run} paused={paused && run.state !== "running"} />}
      {run.failure && (
        <p className="text-table">
          <TextWithTimes text={run.failure.message} />{" "}
          <span className="text-muted">
            <TextWithTimes text={run.failure.action} />
          </span>
        </p>
      )}
      {run.streams.length > 0 && <RunStreams run={run} />}
    </li>
  );
}

function RunStreams({ run }: { run: Run }) {
  const edges = useFadingEdges();
  return (
    <details className="group mt-1 text-table" open={isLive(run)}>
      <summary className="flex min-h-6 w-fit cursor-pointer list-none items-center gap-1 text-muted hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 shrink-0 group-open:rotate-90" />
        <span>
          <Num value={sumOf(run, "inserted")} /> new, <Num value={sumOf(run, "updated")} /> changed,{" "}
          <Num value={sumOf(run, "deleted")} /> deleted
        </span>
      </summary>
      <div ref={edges} className={fadingEdges}>
        <table className="mt-1 tabular-nums">
          <thead>
            <tr className="text-muted">
              <th scope="col" className="pe-4 text-start font-normal">
                Stream
              </th>
              {["pages", "read", "new", "changed", "unchanged", "deleted", "repaired", "held"].map((name) => (
                <th key={name} scope="col" className="px-3 text-end font-normal">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {run.streams.map(({ name, pages, rows }) => (
              <tr key={name}>
                <th scope="row" className="pe-4 text-start font-normal">
                  {streamTitles[name]}
                </th>
                {[
                  pages,
                  rows.read,
                  rows.inserted,
                  rows.updated,
                  rows.unchanged,
                  rows.deleted,
                  rows.repaired,
                  rows.held,
                ].map((value, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: the columns are fixed
                  <td key={at} className="px-3 text-end">
                    <Num value={value} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <StreamRemarks run={run} />
    </details>
  );
}

/** What else a run came upon in a stream: nothing, as a rule. */
export function StreamRemarks({ run }: { run: Run }) {
  const count = useCount();
  const times = (number: number, one: string, more: string) => `${count(number)} ${number === 1 ? one : more}`;
  return run.streams.map(({ name, cleaned, restarts }) => (
    <Fragment key={name}>
      {cleaned > 0 && (
        <p className="mt-1 text-small text-muted">
          {streamTitles[name]}: {times(cleaned, "text holds", "texts hold")} characters that no database takes; stored
          without them.
        </p>
      )}
      {restarts > 0 && (
        <p className="mt-1 text-small text-muted">
          {streamTitles[name]}: Zendesk refused the place {times(restarts, "time", "times")}; read again from the last
          instant that was stored.
        </p>
      )}
    </Fragment>
  ));
}

const sumOf = (run: Run, count: keyof Run["streams"][number]["rows"]) =>
  run.streams.reduce((sum, { rows }) => sum + rows[count], 0);

function duration(from: string, to: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
