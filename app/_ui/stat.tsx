"use client";

import type { ReactNode } from "react";
import { CellButton } from "./cell-button.tsx";
import { Flash } from "./flash.tsx";
import { useLocale } from "./locale.tsx";
import { formatNumber } from "./num.tsx";
import { Skeleton } from "./skeleton.tsx";
import { Unknown } from "./unknown.tsx";

type StatProps = {
  label: string;
  /** Null is unknown. */
  value: number | null;
  reason?: string;
  unit?: string;
  digits?: number;
  /** How many answers a percentage rests on; shown small. */
  n?: number;
  /** What the number answers: a change of it is not a change of the number. */
  of?: unknown;
  /** A `Delta`, or any short line under the number. */
  delta?: ReactNode;
  /** Opens what the number counts. */
  onPress?: () => void;
  pressLabel?: string;
};

/** A key number: label above, number large, unit and n small, change beneath. */
export function Stat({ label, value, reason, unit, digits = 0, n, of, delta, onPress, pressLabel }: StatProps) {
  const locale = useLocale();
  const figure = value === null ? null : formatNumber(value, locale, { digits });
  const shown = (
    <Flash value={value} of={of}>
      {figure}
    </Flash>
  );
  const count = n !== undefined && (
    <span className="ms-1.5 text-small font-normal text-muted">n {formatNumber(n, locale)}</span>
  );
  const unitMark = unit && <span className="ms-1 text-body font-normal text-muted">{unit}</span>;
  return (
    <div className="flex min-w-0 flex-col">
      <div className="truncate text-table text-muted">{label}</div>
      <div className="text-key font-semibold whitespace-nowrap tabular-nums">
        {figure === null ? (
          <Unknown reason={reason ?? "There is no value yet"} onPress={n ? onPress : undefined} />
        ) : onPress ? (
          <CellButton
            onClick={onPress}
            label={`${label}: ${figure}${unit ? ` ${unit}` : ""}, ${pressLabel ?? "show them"}`}
          >
            {shown}
            {unitMark}
          </CellButton>
        ) : (
          <>
            {shown}
            {unitMark}
          </>
        )}
        {count}
      </div>
      <div className="mt-2 min-h-4 text-table text-muted">{delta}</div>
    </div>
  );
}

/** Six key numbers side by side, parted by hairlines; in two or three columns on narrow screens. */
export function StatRow({ children }: { children: ReactNode }) {
  return (
    <div className="grid grid-cols-2 sm:grid-cols-3 xl:grid-cols-6 gap-px overflow-hidden border-y border-line bg-line *:bg-canvas *:px-4 *:py-3">
      {children}
    </div>
  );
}

/** A `Stat` to come. */
export function StatSkeleton() {
  return (
    <div>
      <Skeleton className="my-0.5 w-20" />
      <Skeleton className="my-1 h-6 w-14" />
      <Skeleton className="my-1.5 w-16" />
    </div>
  );
}
