"use client";

import { Progress as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";
import { useLocale } from "./locale.tsx";
import { formatNumber } from "./num.tsx";

type ProgressProps = {
  label: string;
  /** Null: going on, with no known end. */
  value: number | null;
  max?: number;
  /** Words at the right instead of the percentage: "1,204 rows". */
  detail?: ReactNode;
};

/** How far something has come. */
export function Progress({ label, value, max = 100, detail }: ProgressProps) {
  const locale = useLocale();
  const share = value === null ? null : Math.min(1, Math.max(0, max === 0 ? 0 : value / max));
  return (
    <div className="flex flex-col gap-1">
      <div className="flex justify-between gap-3 text-table">
        <span className="truncate">{label}</span>
        <span className="text-muted tabular-nums">
          {detail ?? (share === null ? "…" : `${formatNumber(Math.floor(share * 100), locale)} %`)}
        </span>
      </div>
      <Radix.Root
        aria-label={label}
        value={share === null ? null : share * 100}
        className="h-1.5 overflow-hidden rounded-full bg-hover"
      >
        <Radix.Indicator
          className={cn("block h-full rounded-full bg-accent-fill", share === null && "w-1/3 animate-shimmer")}
          style={share === null ? undefined : { width: `${share * 100}%` }}
        />
      </Radix.Root>
    </div>
  );
}
