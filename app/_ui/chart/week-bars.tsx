"use client";

import { useMemo } from "react";
import { Bar, ComposedChart, XAxis, YAxis } from "recharts";
import { CellButton } from "../cell-button.tsx";
import { useLocale } from "../locale.tsx";
import { formatNumber } from "../num.tsx";
import { Unknown } from "../unknown.tsx";
import { ChartFrame, type ChartTable, Legend } from "./chart-frame.tsx";
import { PLOT, PointStrip } from "./point-strip.tsx";
import { axisOf, type BarPoint, type Series, totalOf } from "./points.ts";

type WeekBarsProps = {
  title: string;
  note?: string;
  points: readonly BarPoint[];
  /** From the baseline upwards; they are stacked. */
  series: readonly Series[];
  /** What the stack is in sum: "Created". */
  totalName: string;
  /** What the outline is: "The window before". Without it no outline is drawn. */
  previousName?: string;
  /** What a point is called in the table's first column. */
  pointName?: string;
  onSelect?: (point: BarPoint) => void;
  height?: number;
};

/** Stacked bars from zero, one a week, the window before in outline; any of them opens what it counts. */
export function WeekBars(props: WeekBarsProps) {
  const { title, note, points, series, previousName, pointName = "Week", onSelect, height = 180 } = props;
  const locale = useLocale();
  const drawn = useMemo(
    () =>
      points.map((point) => ({
        ...point.values,
        key: point.key,
        label: point.label,
        previous: point.previous ?? undefined,
      })),
    [points],
  );
  const { maximum, ticks } = axisOf(
    Math.max(
      0,
      ...points.flatMap((point) => [
        point.values ? totalOf(point.values) : 0,
        previousName ? (point.previous ?? 0) : 0,
      ]),
    ),
  );
  const words = points.map((point) => wordsOf(point, props, locale));

  return (
    <ChartFrame
      title={title}
      note={note}
      table={twinOf(props, pointName, locale)}
      legend={
        <Legend
          marks={[
            ...series.toReversed(),
            ...(previousName ? [{ name: previousName, color: "var(--series-previous)", outline: true }] : []),
          ]}
        />
      }
    >
      <div className="relative" style={{ height }}>
        <div aria-hidden className="absolute inset-0">
          <ComposedChart
            responsive
            accessibilityLayer={false}
            data={drawn}
            style={{ width: "100%", height: "100%" }}
            margin={{ top: PLOT.top, right: PLOT.right, bottom: 0, left: 0 }}
            barCategoryGap="12%"
          >
            <XAxis
              dataKey="label"
              height={PLOT.bottom}
              tickLine={false}
              axisLine={{ stroke: "var(--edge)" }}
              tick={{ fill: "var(--muted)", fontSize: 11 }}
              interval="preserveStartEnd"
              minTickGap={12}
            />
            <XAxis dataKey="label" xAxisId="previous" hide />
            <YAxis
              width={PLOT.left}
              domain={[0, maximum]}
              ticks={ticks}
              tickFormatter={(value: number) => formatNumber(value, locale)}
              tickLine={false}
              axisLine={false}
              tick={{ fill: "var(--muted)", fontSize: 11 }}
            />
            {previousName && (
              <Bar
                dataKey="previous"
                xAxisId="previous"
                fill="transparent"
                stroke="var(--series-previous)"
                maxBarSize={36}
                isAnimationActive={false}
              />
            )}
            {series.map(({ key, color }) => (
              <Bar
                key={key}
                dataKey={key}
                stackId="sum"
                fill={color}
                maxBarSize={36}
                shape={InsetBar}
                isAnimationActive={false}
              />
            ))}
          </ComposedChart>
        </div>
        <PointStrip
          label={`${title}: points. Arrow keys move${onSelect ? ", Enter opens" : ""}.`}
          points={points.map((point, at) => ({
            key: point.key,
            name: `${point.title}: ${(words[at] ?? []).map(([name, value]) => `${name} ${value}`).join(", ")}`,
            tip: <Tip title={point.title} lines={words[at] ?? []} />,
          }))}
          onSelect={onSelect && ((at) => points[at] && onSelect(points[at]))}
        />
      </div>
    </ChartFrame>
  );
}

/** Narrower than its outline, so that the window before shows beside the bar wherever it was lower. */
function InsetBar({
  x,
  y,
  width,
  height,
  fill,
}: {
  x?: number;
  y?: number;
  width?: number;
  height?: number;
  fill?: string;
}) {
  if (x === undefined || y === undefined || !width || !height) return null;
  const inset = Math.min(5, width * 0.22);
  return <rect x={x + inset} y={y} width={width - 2 * inset} height={height} fill={fill} />;
}

type Line = readonly [name: string, value: string];

function wordsOf(point: BarPoint, { series, totalName, previousName }: WeekBarsProps, locale: string): Line[] {
  const { values } = point;
  if (!values) return [[totalName, `not known: ${point.reason ?? "there is no value"}`]];
  const lines: Line[] = [[totalName, formatNumber(totalOf(values), locale)]];
  if (series.length > 1) {
    for (const { key, name } of series) lines.push([name, formatNumber(values[key] ?? 0, locale)]);
  }
  if (previousName) lines.push([previousName, point.previous == null ? "–" : formatNumber(point.previous, locale)]);
  return lines;
}

export function Tip({ title, lines }: { title: string; lines: readonly Line[] }) {
  return (
    <>
      <p className="font-medium">{title}</p>
      <dl className="grid grid-cols-[1fr_auto] gap-x-3">
        {lines.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="text-end tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function twinOf(props: WeekBarsProps, pointName: string, locale: string): ChartTable {
  const { points, series, totalName, previousName, onSelect } = props;
  const several = series.length > 1;
  return {
    columns: [
      { name: pointName },
      { name: totalName, align: "end" },
      ...(several ? series.map(({ name }) => ({ name, align: "end" as const })) : []),
      ...(previousName ? [{ name: previousName, align: "end" as const }] : []),
    ],
    rows: points.map((point) => {
      const { values } = point;
      const unknown = <Unknown key="total" reason={point.reason ?? "There is no value"} />;
      const total = values && formatNumber(totalOf(values), locale);
      return {
        key: point.key,
        cells: [
          point.title,
          total === null ? (
            unknown
          ) : onSelect ? (
            <CellButton
              key="total"
              label={`${totalName}, ${point.title}: ${total}, show them`}
              onClick={() => onSelect(point)}
            >
              {total}
            </CellButton>
          ) : (
            total
          ),
          ...(several ? series.map(({ key }) => (values ? formatNumber(values[key] ?? 0, locale) : "–")) : []),
          ...(previousName
            ? [
                point.previous == null ? (
                  <Unknown key="previous" reason="The window before has no value" />
                ) : (
                  formatNumber(point.previous, locale)
                ),
              ]
            : []),
        ],
      };
    }),
  };
}
