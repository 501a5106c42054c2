type SparklineProps = {
  /** In time order; null where it is not known. */
  values: readonly (number | null)[];
  /** What is drawn, in words: "Created by week, last 12: from 3 to 9". */
  label: string;
  color?: string;
  width?: number;
  height?: number;
};

/** Small bars from zero, the last one full in colour; plain SVG, cheap for every row of a table. */
export function Sparkline({ values, label, color = "var(--series-1)", width = 64, height = 18 }: SparklineProps) {
  const largest = Math.max(1, ...values.map((value) => value ?? 0));
  const band = width / Math.max(1, values.length);
  const last = values.length - 1;
  return (
    <svg
      role="img"
      aria-label={label}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      className="inline-block align-middle"
    >
      {values.map((value, at) => {
        const tall = value === null ? 0 : Math.max(value > 0 ? 1.5 : 0.5, (value / largest) * (height - 1));
        const key = `${at}`;
        if (value === null) {
          return <circle key={key} cx={at * band + band / 2} cy={height - 1.5} r={0.75} fill="var(--muted)" />;
        }
        return (
          <rect
            key={key}
            x={at * band + 0.5}
            y={height - tall}
            width={Math.max(1, band - 1)}
            height={tall}
            fill={at === last ? color : "var(--series-soft)"}
          />
        );
      })}
    </svg>
  );
}
