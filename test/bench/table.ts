/** One line of performance.md, section 9. */
export interface Row {
  number: string;
  what: string;
  ours: number;
  limit: number;
  unit: string;
  /** What is judged: ours ÷ limit, or ours where the limit is zero. */
  ratio: number;
  goal: number;
  moonshot: number;
  moreIsBetter?: boolean;
}

type Line = Omit<Row, "ratio" | "unit"> & { unit?: string };

/** A line whose ratio is ours ÷ limit; milliseconds unless told. */
export function row(line: Line): Row {
  return { unit: "ms", ...line, ratio: line.limit === 0 ? line.ours : line.ours / line.limit };
}

export function verdict({ ratio, goal, moonshot, moreIsBetter }: Row): string {
  const reaches = (mark: number) => (moreIsBetter ? ratio >= mark : ratio <= mark);
  return reaches(moonshot) ? "moonshot" : reaches(goal) ? "goal" : "over";
}

export function printTable(rows: readonly Row[], footnotes: readonly string[]): string {
  const header = ["#", "what", "ours", "limit", "ratio", "goal", "moonshot", "verdict"];
  const lines = rows.map((line) => {
    const sign = line.moreIsBetter ? "≥ " : "≤ ";
    const figures = [`${figure(line.ours)} ${line.unit}`, `${figure(line.limit)} ${line.unit}`, figure(line.ratio)];
    return [line.number, line.what, ...figures, sign + figure(line.goal), sign + figure(line.moonshot), verdict(line)];
  });
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const text = all.map((line) =>
    line
      .map((cell, column) => pad(cell, widths[column] ?? 0, column))
      .join("  ")
      .trimEnd(),
  );
  text.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return [...text, "", ...footnotes.map((note) => `* ${note}`)].join("\n");
}

function pad(cell: string, width: number, column: number): string {
  return column >= 2 && column <= 6 ? cell.padStart(width) : cell.padEnd(width);
}

function figure(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 0.1 ? 2 : 4;
  return value.toFixed(digits);
}
