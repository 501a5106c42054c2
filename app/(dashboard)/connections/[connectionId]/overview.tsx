"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { connectionQueries, isLive } from "#app/_queries/connections.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { cn } from "#app/_ui/class-names.ts";
import { useNow } from "#app/_ui/clock.ts";
import { Hint } from "#app/_ui/hint.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import { freshnessOf, isLate, isUsed } from "#app/(dashboard)/_frame/freshness.ts";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { WriteGrant } from "#app/(dashboard)/destinations/write-grant.tsx";
import type { Connection, StreamStatus } from "#lib/connections/shapes.ts";
import { streamTitles } from "#lib/connections/shapes.ts";
import { streamWords } from "../connection-words.ts";
import { MatchBar } from "../match-bar.tsx";
import { AbsenceNotice } from "./held/absence-notice.tsx";
import { UnusualCheck } from "./ledger/unusual-check.tsx";
import { RunProgress } from "./run-progress.tsx";
import { Cell, HeadCell, RowHeadCell, ScrollingTable } from "./table-cells.tsx";
import { WebhookSection } from "./webhook/webhook-section.tsx";

/** How the connection stands: failure and remedy first, then every stream, then what it is. */
export function Overview({ connection }: { connection: Connection }) {
  const { failure, verified } = connection;
  return (
    <div className="flex max-w-5xl flex-col gap-6">
      {failure && (
        <Notice kind="failure" announce title={<TextWithTimes text={failure.message} />}>
          Since <RelativeTime at={failure.since} />. What was read before stays. <TextWithTimes text={failure.action} />
        </Notice>
      )}
      {!isUsed(connection) && <NoMoreReading connection={connection} />}
      {isUsed(connection) && connection.auth.endsOn && (
        <Notice
          kind="warning"
          title={`This connection signs in with an API token, which ends on ${connection.auth.endsOn}`}
        >
          Change the login to an OAuth client in the settings before then.
        </Notice>
      )}
      <LiveRun connection={connection} />
      <Section
        title="Streams"
        description={`“Read through”: what had changed in Zendesk by then is stored or held here; later changes are ${isUsed(connection) ? "still to come" : "not read"}.`}
      >
        <StreamTable connection={connection} />
      </Section>
      <AbsenceNotice connection={connection} />
      <UnusualCheck connectionId={connection.id} />
      <WebhookSection connection={connection} />
      <Section title="Matching">
        <MatchBar counts={connection.matching} />
      </Section>
      <Section title="Connection">
        <Facts
          facts={[
            { term: "Zendesk", value: `${connection.subdomain}.zendesk.com` },
            { term: "Access", value: <Access connection={connection} /> },
            {
              term: "Signed in as",
              value: connection.connectedBy.zendeskEmail ?? <Unknown reason="The login is destroyed" />,
            },
            {
              term: "Scopes",
              value: (isUsed(connection) && connection.auth.scopes?.join(", ")) || (
                <Unknown
                  reason={isUsed(connection) ? "An API token has all rights of its person" : "The login is destroyed"}
                />
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

/** What may be done in Zendesk; writing is a grant of its own (O-16). */
function Access({ connection }: { connection: Connection }) {
  const { user } = useSession();
  const writes = connection.access === "read_write";
  if (!isUsed(connection)) return <>none any more; it was {writes ? "read and write" : "read only"}</>;
  if (writes) return <>read and write</>;
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
      read only
      {user.role === "admin" && <WriteGrant connection={connection} />}
    </span>
  );
}

/** That a connection without a login stands still: since when, and what its rows stand at. */
function NoMoreReading({ connection }: { connection: Connection }) {
  const { user } = useSession();
  const { id, state, disconnectedAt } = connection;
  const now = useNow();
  const asOf = now && freshnessOf([connection], now).asOf;
  return (
    <Notice
      kind="failure"
      title={`It is ${state}: nothing is read any more, and nothing is written.`}
      actions={user.role === "admin" && <Link href={`/connections/${id}?tab=settings#login`}>Reconnect</Link>}
    >
      {disconnectedAt && (
        <>
          Since <RelativeTime at={disconnectedAt} />.{" "}
        </>
      )}
      Its rows stay and count as they are
      {asOf && (
        <>
          , as of <RelativeTime at={asOf} />
        </>
      )}
      .
    </Notice>
  );
}

/** The run at work, or the one that goes on after a pause, if there is one. */
function LiveRun({ connection }: { connection: Connection }) {
  const runs = useInfiniteQuery(connectionQueries.runs(connection.id));
  const live = runs.data?.pages[0]?.items.find(isLive);
  if (!live) return null;
  const paused = connection.state === "paused" && live.state !== "running";
  return (
    <Section title={paused ? "A run is paused" : "A run is at work"}>
      <RunProgress run={live} paused={paused} />
    </Section>
  );
}

/** How a stream stands. What no state of its own says: it was not read for two intervals, or nobody reads it now. */
function standingOf(stream: StreamStatus, connection: Connection, now: Date | null) {
  if (!isUsed(connection)) return { status: "unknown", words: "not read any more" } as const;
  const isUnderWay = stream.state === "running" || stream.state === "waiting";
  if (connection.state === "paused" && isUnderWay) return { status: "watch", words: "paused" } as const;
  const isBehind = stream.state === "ok" && now !== null && isLate(stream, connection.syncIntervalMinutes, now);
  return isBehind ? ({ status: "bad", words: "behind" } as const) : streamWords[stream.state];
}

function StreamTable({ connection }: { connection: Connection }) {
  const now = useNow();
  return (
    <ScrollingTable label="Streams">
      <thead>
        <tr>
          <HeadCell>Stream</HeadCell>
          <HeadCell>State</HeadCell>
          <HeadCell>Read through</HeadCell>
          <HeadCell end>
            <Hint content="Rows stored so far, also those that were deleted in Zendesk since; matching and the numbers leave deleted ones out">
              Rows
            </Hint>
          </HeadCell>
          <HeadCell end>
            <Hint content="Rows that could not be stored as they came; kept apart until they can">Held</Hint>
          </HeadCell>
          <HeadCell>Last run</HeadCell>
        </tr>
      </thead>
      <tbody>
        {connection.streams.map((stream) => (
          <StreamRow
            key={stream.name}
            stream={stream}
            connectionId={connection.id}
            standing={standingOf(stream, connection, now)}
          />
        ))}
      </tbody>
    </ScrollingTable>
  );
}

type StreamRowProps = { stream: StreamStatus; connectionId: string; standing: ReturnType<typeof standingOf> };

function StreamRow({ stream, connectionId, standing: { status, words } }: StreamRowProps) {
  const degraded = stream.held > 0 && stream.state === "degraded";
  const failure = stream.failure && <TextWithTimes text={`${stream.failure.message} ${stream.failure.action}`} />;
  return (
    <>
      <tr className={cn("*:align-top", failure && "max-sm:*:border-b-0")}>
        <RowHeadCell className="font-medium max-sm:whitespace-normal">{streamTitles[stream.name]}</RowHeadCell>
        <Cell className="whitespace-normal">
          <StatusDot status={status}>
            {degraded ? (
              <Link href={`/connections/${connectionId}?tab=held#held`}>
                degraded, <Num value={stream.held} /> held
              </Link>
            ) : (
              words
            )}
          </StatusDot>
          {failure && <p className="max-w-md min-w-40 text-small text-muted max-sm:hidden">{failure}</p>}
        </Cell>
        <Cell>
          {stream.freshThrough ? (
            <RelativeTime at={stream.freshThrough} />
          ) : (
            <Unknown reason="Not read to its end yet" />
          )}
        </Cell>
        <Cell end>
          <Num value={stream.rows} />
        </Cell>
        <Cell end muted={stream.held === 0}>
          <Num value={stream.held} />
        </Cell>
        <Cell>{stream.lastRunAt ? <RelativeTime at={stream.lastRunAt} /> : <Unknown reason="No run yet" />}</Cell>
      </tr>
      {/* In a column of a narrow screen it would be many lines of a word or two; it ends before the edge that fades. */}
      {failure && (
        <tr className="sm:hidden">
          <Cell colSpan={6} className="pb-2 whitespace-normal">
            <p className="sticky left-0 w-[calc(100vw-5rem)] text-small text-muted">{failure}</p>
          </Cell>
        </tr>
      )}
    </>
  );
}
