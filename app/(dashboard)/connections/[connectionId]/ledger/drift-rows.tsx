"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { ledgerQueries } from "#app/_queries/ledger.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { calendarDayWords } from "#app/_ui/time-words.ts";
import type { DriftRow, DriftRun, StreamName } from "#lib/connections/shapes.ts";

import { streamTitles } from "#lib/connections/shapes.ts";
import { Cell, HeadCell, RowHeadCell, ScrollingTable } from "../table-cells.tsx";
import { columnWords } from "./drift.ts";

type DriftRowsProps = {
  connectionId: string;
  check: DriftRun;
  stream: StreamName | null;
  day: string | null;
  onChoose: (stream: StreamName | null, day: string | null) => void;
};

/** The rows that differed, each as a link to its page in Zendesk where it has one. */
export function DriftRows({ connectionId, check, stream, day, onChoose }: DriftRowsProps) {
  const locale = useLocale();
  const rows = useInfiniteQuery(ledgerQueries.rows(connectionId, check.runId, { stream, day }));
  const items = rows.data?.pages.flatMap((page) => page.items);
  const narrowed = day !== null && stream !== null;
  return (
    <Section
      title="Rows that differed"
      description={
        narrowed
          ? `${streamTitles[stream]} of ${calendarDayWords(day, locale)}`
          : "At most 1,000 of each stream are kept."
      }
      actions={
        narrowed && (
          <Button size="sm" onClick={() => onChoose(null, null)}>
            Show all days
          </Button>
        )
      }
    >
      <QueryStates
        query={{ ...rows, data: items }}
        what="the rows"
        skeleton={<SkeletonLines lines={4} />}
        isEmpty={(list) => list.length === 0}
        empty={
          <p className="text-table text-muted">
            {check.state === "succeeded" ? "No row differed." : "No row that differed so far."}
          </p>
        }
      >
        {(list) => (
          <ScrollingTable label="Rows of the check">
            <thead>
              <tr>
                <HeadCell>Row</HeadCell>
                <HeadCell>Stream</HeadCell>
                <HeadCell className="max-sm:hidden">Day</HeadCell>
                <HeadCell>It was</HeadCell>
                <HeadCell>Now</HeadCell>
              </tr>
            </thead>
            <tbody>
              {list.map((row) => (
                <RowThatDiffered key={`${row.stream}/${row.key}`} row={row} />
              ))}
            </tbody>
          </ScrollingTable>
        )}
      </QueryStates>
      {rows.hasNextPage && (
        <div className="mt-2">
          <Button variant="ghost" busy={rows.isFetchingNextPage} onClick={() => void rows.fetchNextPage()}>
            Show more rows
          </Button>
        </div>
      )}
    </Section>
  );
}

function RowThatDiffered({ row }: { row: DriftRow }) {
  const locale = useLocale();
  return (
    <tr>
      <RowHeadCell>
        {row.url ? (
          <Link href={row.url} external>
            {row.key}
          </Link>
        ) : (
          row.key
        )}
      </RowHeadCell>
      <Cell className="whitespace-normal">{streamTitles[row.stream]}</Cell>
      <Cell className="max-sm:hidden">{calendarDayWords(row.day, locale)}</Cell>
      <Cell className="whitespace-normal">
        {row.difference}
        {row.columns.length > 0 && <span className="text-muted"> in {row.columns.map(columnWords).join(", ")}</span>}
      </Cell>
      <Cell>
        <StatusDot status={row.repaired ? "good" : "watch"}>{row.repaired ? "repaired" : "not repaired yet"}</StatusDot>
      </Cell>
    </tr>
  );
}
