"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { ledgerQueries } from "#app/_queries/ledger.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import type { Absence, Connection } from "#lib/connections/shapes.ts";
import { rowNouns } from "../../connection-words.ts";
import { AbsenceDecision } from "./absence-decision.tsx";

/** Stored rows that Zendesk no longer shows; those beyond the cap wait for a person's word. */
export function AbsentRows({ connection }: { connection: Connection }) {
  const absences = useInfiniteQuery(ledgerQueries.absences(connection.id));
  const items = absences.data?.pages.flatMap((page) => page.items);
  return (
    <Section
      anchor="absent"
      title="No longer shown by Zendesk"
      description="Missing from a list proves nothing: each is asked for by its id, and is gone when it is not found twice, a day apart."
    >
      {connection.absences
        .filter(({ held }) => held > 0)
        .map(({ stream, held }) => (
          <AbsenceDecision key={stream} connectionId={connection.id} stream={stream} held={held} />
        ))}
      <QueryStates
        query={{ ...absences, data: items }}
        what="the absent rows"
        skeleton={<SkeletonLines lines={3} />}
        isEmpty={(list) => list.length === 0}
        empty={
          <p className="text-table text-muted">
            {connection.verified
              ? "No stored row is missing in Zendesk, as far as was checked."
              : "Not known: no check of the past has gone through yet."}
          </p>
        }
      >
        {(list) => (
          <ul aria-label="Absent rows" className="divide-y divide-line border-b border-line text-table">
            {list.map((absence) => (
              <AbsentRow key={`${absence.stream}/${absence.id}`} absence={absence} />
            ))}
          </ul>
        )}
      </QueryStates>
      {absences.hasNextPage && (
        <div className="mt-2">
          <Button variant="ghost" busy={absences.isFetchingNextPage} onClick={() => void absences.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Section>
  );
}

function AbsentRow({ absence }: { absence: Absence }) {
  const { stream, id, name, firstMissedAt, notFoundAt, held, url } = absence;
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-4 py-1.5">
      <Link href={url} external className="flex max-w-full min-w-0 items-center *:shrink-0" title={name ?? undefined}>
        <span className="min-w-0 shrink! truncate">
          {rowNouns[stream]} #{id} {name}
        </span>
      </Link>
      <p className="flex flex-wrap gap-x-2 text-muted">
        <span>
          missed since <RelativeTime at={firstMissedAt} />
        </span>
        {notFoundAt && (
          <span>
            · not found by its id since <RelativeTime at={notFoundAt} />
          </span>
        )}
        {held ? (
          <StatusDot status="watch" className="text-ink">
            waits for a decision
          </StatusDot>
        ) : (
          <span>· asked for again next night</span>
        )}
      </p>
    </li>
  );
}
