"use client";

import { CellButton } from "./cell-button.tsx";
import { cn } from "./class-names.ts";
import { Flash } from "./flash.tsx";
import { useLocale } from "./locale.tsx";
import { formatNumber } from "./num.tsx";
import { Unknown } from "./unknown.tsx";

type PercentProps = {
  /** 0–100, or null when there is none. */
  score: number | null;
  /** How many answers the score rests on. */
  n: number;
  /** Below this n no percentage is shown. */
  minimum: number;
  /** What one answer is called, singular and plural. */
  nouns?: readonly [string, string];
  /** Why there is no score, where it is not the small n. */
  reason?: string | null;
  digits?: number;
  /** What the score answers: a change of it is not a change of the score. */
  of?: unknown;
  /** Opens what is counted. */
  onPress?: () => void;
  /** What a press opens, for the button's name. */
  pressLabel?: string;
  className?: string;
};

/** A percentage with its n, small. On too few answers it is "–" with the reason: a percentage would deceive. */
export function Percent({
  score,
  n,
  minimum,
  nouns = ["answer", "answers"],
  reason,
  digits = 0,
  of,
  onPress,
  pressLabel = "show them",
  className,
}: PercentProps) {
  const locale = useLocale();
  const counted = `${formatNumber(n, locale)} ${n === 1 ? nouns[0] : nouns[1]}`;
  const count = <span className="ms-1 text-small font-normal text-muted">n {formatNumber(n, locale)}</span>;

  if (score === null || n < minimum) {
    const why =
      reason ?? (n === 0 ? `No ${nouns[1]} in this window` : `Only ${counted}; at least ${minimum} are needed`);
    return (
      <span className={cn("whitespace-nowrap tabular-nums", className)}>
        <Unknown reason={why} onPress={n > 0 ? onPress : undefined} />
        {/* Where nothing is known of the ratings, their number is not known either. */}
        {!(reason && n === 0) && count}
      </span>
    );
  }

  const figure = formatNumber(score, locale, { digits });
  const shown = (
    <>
      <Flash value={score} of={of}>
        {figure}
      </Flash>
      <span className="ms-0.5 text-small font-normal text-muted">%</span>
      {count}
    </>
  );
  if (!onPress) return <span className={cn("whitespace-nowrap tabular-nums", className)}>{shown}</span>;
  return (
    <CellButton
      label={`${figure} % of ${counted}, ${pressLabel}`}
      onClick={onPress}
      className={cn("whitespace-nowrap tabular-nums", className)}
    >
      {shown}
    </CellButton>
  );
}
