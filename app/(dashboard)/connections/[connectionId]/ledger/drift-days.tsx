"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ledgerQueries } from "#app/_queries/ledger.ts";
import { Button } from "#app/_ui/button.tsx";
import { CellButton } from "#app/_ui/cell-button.tsx";
import { cn } from "#app/_ui/class-names.ts";
import { useLocale } from "#app/_ui/locale.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { calendarDayWords } from "#app/_ui/time-words.ts";
import type { DriftDay, DriftRun, StreamName } from "#lib/connections/shapes.ts";

import { streamTitles } from "#lib/connections/shapes.ts";
import { Cell, HeadCell, RowHeadCell, ScrollingTable } from "../table-cells.tsx";
import { differing } from "./drift.ts";
import { DriftCells, DriftHeadCells } from "./drift-counts.tsx";

type Chosen = { stream: StreamName | null; day: string | null };
type DriftDaysProps = {
  connectionId: string;
  check: DriftRun;
  chosen: Chosen;
  onChoose: (stream: StreamName | null, day: string | null) => void;
};

/** The check by day of the rows' versions; a day opens its rows below. */
export function DriftDays({ connectionId, check, chosen, onChoose }: DriftDaysProps) {
  const [which, setWhich] = useState<"differing" | "all">("differing");
  const days = useInfiniteQuery(ledgerQueries.days(connectionId, check.runId, { stream: null, all: which === "all" }));
  const items = days.data?.pages.flatMap((page) => page.items);
  return (
    <Section
      title="By day"
      actions={
        <Segmented
          label="Which days"
          value={which}
          onChange={setWhich}
          options={[
            { value: "differing", label: "That differed" },
            { value: "all", label: "All" },
          ]}
        />
      }
    >
      <QueryStates
        query={{ ...days, data: items }}
        what="the days"
        skeleton={<SkeletonLines lines={4} />}
        isEmpty={(list) => list.length === 0}
        empty={<p className="text-table text-muted">{noDays(which, check)}</p>}
      >
        {(list) => (
          <ScrollingTable label="Days of the check">
            <thead>
              <tr>
                <HeadCell>Day</HeadCell>
                <HeadCell>Stream</HeadCell>
                <DriftHeadCells />
              </tr>
            </thead>
            <tbody>
              {list.map((day) => (
                <DayRow
                  key={`${day.day} ${day.stream}`}
                  day={day}
                  chosen={day.day === chosen.day && day.stream === chosen.stream}
                  onChoose={onChoose}
                />
              ))}
            </tbody>
          </ScrollingTable>
        )}
      </QueryStates>
      {days.hasNextPage && (
        <div className="mt-2">
          <Button variant="ghost" busy={days.isFetchingNextPage} onClick={() => void days.fetchNextPage()}>
            Show earlier days
          </Button>
        </div>
      )}
    </Section>
  );
}

function noDays(which: "differing" | "all", { state }: DriftRun): string {
  if (state !== "succeeded") return "No day so far.";
  return which === "all" ? "Only the newest 14 checks keep every day." : "Nothing differed on any day.";
}

type DayRowProps = { day: DriftDay; chosen: boolean; onChoose: DriftDaysProps["onChoose"] };

function DayRow({ day, chosen, onChoose }: DayRowProps) {
  const words = calendarDayWords(day.day, useLocale());
  return (
    <tr className={cn(chosen && "bg-accent-soft")}>
      <RowHeadCell>
        {differing(day) === 0 ? (
          words
        ) : (
          <CellButton
            label={`${words}, ${streamTitles[day.stream]}: show its rows`}
            aria-pressed={chosen}
            className="text-accent"
            onClick={() => (chosen ? onChoose(null, null) : onChoose(day.stream, day.day))}
          >
            {words}
          </CellButton>
        )}
      </RowHeadCell>
      <Cell className="whitespace-normal">{streamTitles[day.stream]}</Cell>
      <DriftCells drift={day} />
    </tr>
  );
}
