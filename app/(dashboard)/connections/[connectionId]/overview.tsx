"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { connectionQueries, isLive } from "#app/_queries/connections.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { useNow } from "#app/_ui/clock.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import { isLate, isUsed } from "#app/(dashboard)/_frame/freshness.ts";
import type { Connection, StreamStatus } from "#lib/connections/shapes.ts";
import { streamLabels, streamWords } from "../connection-words.ts";
import { MatchBar } from "../match-bar.tsx";
import { AbsenceNotice } from "./held/absence-notice.tsx";
import { RunProgress } from "./run-progress.tsx";
import { WebhookSection } from "./webhook/webhook-section.tsx";

/** How the connection stands: failure and remedy first, then every stream, then what it is. */
export function Overview({ connection }: { connection: Connection }) {
  const { failure, verified } = connection;
  return (
    <div className="flex max-w-5xl flex-col gap-6">
      {failure && (
        <Notice kind="failure" announce title={failure.message}>
          Since <RelativeTime at={failure.since} />. What was read before stays. {failure.action}
        </Notice>
      )}
      {connection.auth.endsOn && (
        <Notice
          kind="warning"
          title={`This connection signs in with an API token, which ends on ${connection.auth.endsOn}`}
        >
          Change the login to an OAuth client in the settings before then.
        </Notice>
      )}
      <LiveRun connectionId={connection.id} />
      <Section title="Streams" description="How far each was read through; until then nothing is missing.">
        <StreamTable connection={connection} />
      </Section>
      <AbsenceNotice connection={connection} />
      <WebhookSection connection={connection} />
      <Section title="Matching">
        <MatchBar counts={connection.matching} />
      </Section>
      <Section title="Connection">
        <Facts
          facts={[
            { term: "Zendesk", value: `${connection.subdomain}.zendesk.com` },
            { term: "Access", value: connection.access === "read" ? "read only" : "read and write" },
            {
              term: "Signed in as",
              value: connection.connectedBy.zendeskEmail ?? <Unknown reason="The login is destroyed" />,
            },
            {
              term: "Scopes",
              value: connection.auth.scopes?.join(", ") ?? (
                <Unknown reason="An API token has all rights of its person" />
              ),
            },
            {
              term: "Next sync",
              value: connection.nextSyncAt ? (
                <RelativeTime at={connection.nextSyncAt} />
              ) : (
                <Unknown reason="Nothing is scheduled while it is paused or disconnected" />
              ),
            },
            {
              term: "Verified",
              value: verified ? (
                <Link href={`/connections/${connection.id}?tab=checks&check=latest`}>
                  <RelativeTime at={verified.at} as="clock" interactive={false} />, <Num value={verified.tickets} />{" "}
                  tickets, <Num value={verified.repaired} /> repaired
                </Link>
              ) : (
                <Unknown reason="The nightly check of the past year has not run yet" />
              ),
            },
            { term: "Connected", value: <RelativeTime at={connection.createdAt} /> },
          ]}
        />
      </Section>
    </div>
  );
}

/** The run at work, if one is. */
function LiveRun({ connectionId }: { connectionId: string }) {
  const runs = useInfiniteQuery(connectionQueries.runs(connectionId));
  const live = runs.data?.pages[0]?.items.find(isLive);
  if (!live) return null;
  return (
    <Section title="A run is at work">
      <RunProgress run={live} />
    </Section>
  );
}

/** What no state says: nothing failed, and yet it was not read for two intervals. */
const behind = { status: "bad", words: "behind" } as const;

const head = "border-b border-line py-1 pe-4 last:pe-0 font-medium text-muted whitespace-nowrap";
const cell = "border-b border-line py-1.5 pe-4 align-top last:pe-0";

function StreamTable({ connection }: { connection: Connection }) {
  const now = useNow();
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-table">
        <thead>
          <tr>
            <th scope="col" className={`${head} text-start`}>
              Stream
            </th>
            <th scope="col" className={`${head} text-start`}>
              State
            </th>
            <th scope="col" className={`${head} text-start`}>
              Read through
            </th>
            <th scope="col" className={`${head} text-start`}>
              Last run
            </th>
            <th scope="col" className={`${head} text-end`}>
              Rows
            </th>
            <th scope="col" className={`${head} text-end`}>
              Held
            </th>
          </tr>
        </thead>
        <tbody>
          {connection.streams.map((stream) => (
            <StreamRow
              key={stream.name}
              stream={stream}
              connectionId={connection.id}
              late={now !== null && isUsed(connection) && isLate(stream, connection.syncIntervalMinutes, now)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function StreamRow({ stream, connectionId, late }: { stream: StreamStatus; connectionId: string; late: boolean }) {
  const { status, words } = late && stream.state === "ok" ? behind : streamWords[stream.state];
  const degraded = stream.held > 0 && stream.state === "degraded";
  return (
    <tr>
      <th scope="row" className={`${cell} text-start font-medium whitespace-nowrap`}>
        {streamLabels[stream.name]}
      </th>
      <td className={cell}>
        <StatusDot status={status}>
          {degraded ? (
            <Link href={`/connections/${connectionId}?tab=held#held`}>
              degraded, <Num value={stream.held} /> held
            </Link>
          ) : (
            words
          )}
        </StatusDot>
        {stream.failure && (
          <p className="max-w-md text-small text-muted">
            {stream.failure.message} {stream.failure.action}
          </p>
        )}
      </td>
      <td className={`${cell} whitespace-nowrap`}>
        {stream.freshThrough ? <RelativeTime at={stream.freshThrough} /> : <Unknown reason="Not read to its end yet" />}
      </td>
      <td className={`${cell} whitespace-nowrap`}>
        {stream.lastRunAt ? <RelativeTime at={stream.lastRunAt} /> : <Unknown reason="No run yet" />}
      </td>
      <td className={`${cell} text-end tabular-nums`}>
        <Num value={stream.rows} />
      </td>
      <td className={`${cell} text-end tabular-nums`}>
        <Num value={stream.held} />
      </td>
    </tr>
  );
}
