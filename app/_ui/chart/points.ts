/** One colour of a chart: a name for legend, tooltip and table, and a CSS variable. */
export type Series = { key: string; name: string; color: string };

/** One column of a bar chart: a week, say. */
export type BarPoint = {
  key: string;
  /** Under the axis: "3 Nov". */
  label: string;
  /** In tooltip and table: "3–9 Nov 2026". */
  title: string;
  /** By series key. Null: not known. */
  values: Readonly<Record<string, number>> | null;
  /** The same column of the window before, as an outline; null where it is not known. */
  previous?: number | null;
  /** Why the values are null. */
  reason?: string;
};

/** One dot of a chart of percentages. */
export type ScorePoint = {
  key: string;
  label: string;
  title: string;
  /** 0–100, or null when there is none. */
  score: number | null;
  n: number;
};

/** A round axis maximum at or above the largest value, and its ticks from zero. */
export function axisOf(largest: number): { maximum: number; ticks: number[] } {
  const rough = Math.max(1, largest) / 3;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((size) => size >= rough) ?? 1);
  const whole = Math.ceil(step);
  const count = Math.max(1, Math.ceil(largest / whole));
  return { maximum: whole * count, ticks: Array.from({ length: count + 1 }, (_, tick) => tick * whole) };
}

/** The sum of a column's series. */
export function totalOf(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((sum, value) => sum + value, 0);
}
