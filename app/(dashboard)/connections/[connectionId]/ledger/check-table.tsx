"use client";

import { CellButton } from "#app/_ui/cell-button.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { statusIcon, statusText } from "#app/_ui/status.ts";
import { Unknown } from "#app/_ui/unknown.tsx";
import type { DriftRun } from "#lib/connections/shapes.ts";
import { runWords } from "../../connection-words.ts";
import { Cell, HeadCell, RowHeadCell, ScrollingTable } from "../table-cells.tsx";
import { differing, sumOfStreams } from "./drift.ts";
import { DriftCells, DriftHeadCells } from "./drift-counts.tsx";

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
  return (
    <tr>
      <RowHeadCell>{at ? <RelativeTime at={at} /> : <Unknown reason="It has not begun yet" />}</RowHeadCell>
      <Cell>
        <CellButton label={`${resultWords(check)}: show this check`} onClick={onOpen} className="text-accent">
          <Result check={check} />
        </CellButton>
      </Cell>
      <DriftCells drift={sum} inWords />
    </tr>
  );
}

/** Icon and words of how a check ended. */
export function Result({ check }: { check: DriftRun }) {
  const status = check.state === "succeeded" && unrepaired(check) > 0 ? "watch" : runWords[check.state].status;
  const Icon = statusIcon[status];
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Icon aria-hidden className={`size-3.5 shrink-0 ${statusText[status]}`} />
      {resultWords(check)}
    </span>
  );
}

const unrepaired = (check: DriftRun) => differing(sumOfStreams(check)) - sumOfStreams(check).repaired;

/** How a check ended, in words; one that has not gone through claims nothing. */
export function resultWords(check: DriftRun): string {
  if (check.state === "failed" || check.state === "interrupted") return "not through";
  if (check.state !== "succeeded") return "going on";
  const sum = sumOfStreams(check);
  if (sum.compared === 0) return "nothing compared";
  const n = differing(sum);
  if (n === 0) return "nothing differed";
  const rest = unrepaired(check);
  return `${n} differed, ${rest <= 0 ? "all repaired" : `${rest} left`}`;
}
