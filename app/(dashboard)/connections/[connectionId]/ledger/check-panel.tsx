"use client";

import { useState } from "react";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import type { DriftRun, StreamName } from "#lib/connections/shapes.ts";

import { streamTitles } from "#lib/connections/shapes.ts";
import { HeadCell, RowHeadCell, ScrollingTable } from "../table-cells.tsx";
import { Result } from "./check-table.tsx";
import { sumOfStreams } from "./drift.ts";
import { DriftCells, DriftHeadCells } from "./drift-counts.tsx";
import { DriftDays } from "./drift-days.tsx";
import { DriftRows } from "./drift-rows.tsx";
import { DifferingColumns } from "./unusual-share.tsx";

type CheckPanelProps = { connectionId: string; check: DriftRun; onClose: () => void };

/** One check of the past: by stream, by day, and the rows that differed. */
export function CheckPanel({ connectionId, check, onClose }: CheckPanelProps) {
  const [stream, setStream] = useState<StreamName | null>(null);
  const [day, setDay] = useState<string | null>(null);
  const sum = sumOfStreams(check);
  const at = check.finishedAt ?? check.startedAt;
  const choose = (nextStream: StreamName | null, nextDay: string | null) => {
    setStream(nextStream);
    setDay(nextDay);
  };
  return (
    <SidePanel
      open
      onClose={onClose}
      title="Check of the past"
      description={
        <>
          {at && <RelativeTime at={at} interactive={false} />} · <Num value={sum.compared} /> rows compared
        </>
      }
    >
      <div className="flex flex-col gap-6 px-4 py-4">
        <Section title="By stream" description={<Result check={check} />}>
          <ScrollingTable label="Streams of the check">
            <thead>
              <tr>
                <HeadCell>Stream</HeadCell>
                <DriftHeadCells />
              </tr>
            </thead>
            <tbody>
              {check.streams.map((of) => (
                <tr key={of.stream}>
                  <RowHeadCell className="font-medium whitespace-normal">
                    {streamTitles[of.stream]}
                    {of.unusual && (
                      <p className="text-small font-normal">
                        <StatusDot status="watch">unusually many</StatusDot>
                      </p>
                    )}
                    {of.columns.length > 0 && (
                      <p className="text-small font-normal text-muted">
                        <DifferingColumns of={of} />
                      </p>
                    )}
                  </RowHeadCell>
                  <DriftCells drift={of} />
                </tr>
              ))}
            </tbody>
          </ScrollingTable>
        </Section>
        <DriftDays connectionId={connectionId} check={check} chosen={{ stream, day }} onChoose={choose} />
        <DriftRows connectionId={connectionId} check={check} stream={stream} day={day} onChoose={choose} />
      </div>
    </SidePanel>
  );
}
