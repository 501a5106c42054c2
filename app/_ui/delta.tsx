"use client";

import { cn } from "./class-names.ts";
import { Hint } from "./hint.tsx";
import { useLocale } from "./locale.tsx";
import { formatNumber } from "./num.tsx";
import { Unknown } from "./unknown.tsx";

type DeltaProps = {
  current: number | null;
  previous: number | null;
  /** Which direction is good; without it the change is neutral. */
  goodWhen?: "up" | "down";
  /** "pts" for a change between percentages. */
  unit?: string;
  digits?: number;
  /** Why one of the two is null. */
  reason?: string;
  /** What the two are compared over: "the 30 days before". */
  before?: string;
  /** Writes the earlier number out beside the change instead of only in the hint. */
  spelled?: boolean;
  className?: string;
};

/** The change since the window before: arrow and signed number; both numbers on hover, focus and to screen readers. */
export function Delta({
  current,
  previous,
  goodWhen,
  unit,
  digits = 0,
  reason = "The window before has no value",
  before = "the window before",
  spelled = false,
  className,
}: DeltaProps) {
  const locale = useLocale();
  if (current === null || previous === null) return <Unknown reason={reason} />;

  // Of the rounded numbers, so that what is shown adds up.
  const scale = 10 ** digits;
  const change = (Math.round(current * scale) - Math.round(previous * scale)) / scale;
  const direction = change > 0 ? "up" : change < 0 ? "down" : "same";
  const from = formatNumber(previous, locale, { digits });
  const to = formatNumber(current, locale, { digits });
  const size = formatNumber(Math.abs(change), locale, { digits });
  const words =
    direction === "same"
      ? `Unchanged: ${to}, as in ${before}`
      : `${direction === "up" ? "Up" : "Down"} by ${size}${unit ? ` ${unit}` : ""}: ${to} now, ${from} in ${before}`;

  return (
    <span className={cn("whitespace-nowrap tabular-nums", className)}>
      <Hint
        content={words}
        label={words}
        className={cn(
          "no-underline",
          direction === "same" || !goodWhen ? "text-muted" : direction === goodWhen ? "text-good" : "text-bad",
        )}
      >
        <span aria-hidden>
          {direction === "same" ? (
            "±0"
          ) : (
            <>
              <span className="me-0.5 text-[9px] align-[1px]">{direction === "up" ? "▲" : "▼"}</span>
              {formatNumber(change, locale, { digits, signed: true })}
              {unit && <span className="ms-0.5 text-small">{unit}</span>}
            </>
          )}
        </span>
      </Hint>
      {spelled && <span className="ms-1.5 text-small text-muted">from {from}</span>}
    </span>
  );
}
