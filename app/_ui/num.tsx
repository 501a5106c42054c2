"use client";

import { cn } from "./class-names.ts";
import { useLocale } from "./locale.tsx";
import { Unknown } from "./unknown.tsx";

type NumProps = {
  value: number | null;
  /** Why the value is null. */
  reason?: string;
  /** Small and muted after the number. */
  unit?: string;
  /** Digits after the point, at most. */
  digits?: number;
  signed?: boolean;
  className?: string;
};

/** A number in the reader's format; a null is unknown, with its reason. */
export function Num({ value, reason = "There is no value yet", unit, digits = 0, signed, className }: NumProps) {
  const locale = useLocale();
  if (value === null) return <Unknown reason={reason} />;
  return (
    <span className={cn("whitespace-nowrap tabular-nums", className)}>
      {formatNumber(value, locale, { digits, signed })}
      {unit && <span className="ms-0.5 text-small font-normal text-muted">{unit}</span>}
    </span>
  );
}

/** Writes counts inside sentences, in the reader's format. */
export function useCount(): (value: number) => string {
  const locale = useLocale();
  return (value) => formatNumber(value, locale);
}

/** The same format as text, for labels and names. */
export function formatNumber(
  value: number,
  locale: string,
  { digits = 0, signed = false }: { digits?: number; signed?: boolean } = {},
): string {
  return new Intl.NumberFormat(locale, {
    maximumFractionDigits: digits,
    signDisplay: signed ? "exceptZero" : "auto",
  })
    .format(value)
    .replace("-", "−");
}
