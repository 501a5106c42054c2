"use client";

import { ChevronRight } from "lucide-react";
import { CellButton } from "#app/_ui/cell-button.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { formatNumber } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { statusIcon, statusText } from "#app/_ui/status.ts";
import { Unknown } from "#app/_ui/unknown.tsx";
import type { DriftRun } from "#lib/connections/shapes.ts";
import { runWords } from "../../connection-words.ts";
import { Cell, HeadCell, RowHeadCell, ScrollingTable } from "../table-cells.tsx";
import { differing, sumOfStreams } from "./drift.ts";
import { DriftCells, DriftHeadCells } from "./drift-counts.tsx";
import { UnusualShare } from "./unusual-share.tsx";

type CheckTableProps = { checks: readonly DriftRun[]; onOpen: (runId: string) => void };

/** One check a row: when, how much was compared, what differed, what was repaired. */
export function CheckTable({ checks, onOpen }: CheckTableProps) {
  return (
    <ScrollingTable label="Checks">
      <thead>
        <tr>
          <HeadCell>Check</HeadCell>
          <HeadCell>Result</HeadCell>
          <DriftHeadCells inWords />
        </tr>
      </thead>
      <tbody>
        {checks.map((check) => (
          <CheckRow key={check.runId} check={check} onOpen={() => onOpen(check.runId)} />
        ))}
      </tbody>
    </ScrollingTable>
  );
}

function CheckRow({ check, onOpen }: { check: DriftRun; onOpen: () => void }) {
  const sum = sumOfStreams(check);
  const at = check.finishedAt ?? check.startedAt;
  const locale = useLocale();
  return (
    <tr>
      <RowHeadCell>{at ? <RelativeTime at={at} /> : <Unknown reason="It has not begun yet" />}</RowHeadCell>
      <Cell>
        <CellButton label={`${resultWords(check, locale)}: show this check`} onClick={onOpen} className="text-accent">
          <span className="inline-flex items-center gap-1">
            <Result check={check} />
            <ChevronRight aria-hidden className="size-4 shrink-0" />
          </span>
        </CellButton>
        <Unusual check={check} />
      </Cell>
      <DriftCells drift={sum} inWords />
    </tr>
  );
}

/** Icon and words of how a check ended. */
export function Result({ check }: { check: DriftRun }) {
  const isOdd = unrepaired(check) > 0 || check.streams.some(({ unusual }) => unusual);
  const status = check.state === "succeeded" && isOdd ? "watch" : runWords[check.state].status;
  const Icon = statusIcon[status];
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Icon aria-hidden className={`size-3.5 shrink-0 ${statusText[status]}`} />
      {resultWords(check, useLocale())}
    </span>
  );
}

/** Of which streams an unusual share differed, and in what; nothing where it is as on most nights. */
export function Unusual({ check }: { check: DriftRun }) {
  return check.streams
    .filter(({ unusual }) => unusual)
    .map((of) => (
      <div key={of.stream} className="max-w-md text-small whitespace-normal text-muted">
        <span className="font-medium text-watch">An unusual share:</span> <UnusualShare of={of} />
      </div>
    ));
}

const unrepaired = (check: DriftRun) => differing(sumOfStreams(check)) - sumOfStreams(check).repaired;

/** How a check ended, in words; one that has not gone through claims nothing. */
export function resultWords(check: DriftRun, locale = "en"): string {
  if (check.state === "failed" || check.state === "interrupted") return "not through";
  if (check.state !== "succeeded") return "going on";
  const sum = sumOfStreams(check);
  if (sum.compared === 0) return "nothing compared";
  const n = differing(sum);
  if (n === 0) return "nothing differed";
  const rest = unrepaired(check);
  return `${formatNumber(n, locale)} differed, ${rest <= 0 ? "all repaired" : `${formatNumber(rest, locale)} left`}`;
}
