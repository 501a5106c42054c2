"use client";

import { useMemo } from "react";
import { ComposedChart, Line, XAxis, YAxis } from "recharts";
import { useLocale } from "../locale.tsx";
import { formatNumber } from "../num.tsx";
import { Percent } from "../percent.tsx";
import { ChartFrame, Legend } from "./chart-frame.tsx";
import { PLOT, PointStrip } from "./point-strip.tsx";
import type { ScorePoint } from "./points.ts";
import { Tip } from "./week-bars.tsx";

type ScoreDotsProps = {
  title: string;
  note?: string;
  points: readonly ScorePoint[];
  /** Below this n a dot is hollow and its percentage is not written out. */
  minimum: number;
  /** What the score is called: "CSAT". */
  scoreName: string;
  /** What one answer is called, singular and plural. */
  nouns?: readonly [string, string];
  color?: string;
  pointName?: string;
  onSelect?: (point: ScorePoint) => void;
  height?: number;
};

/** A percentage by week: the dot grows with n, is hollow on few answers, and is absent where nothing was answered. */
export function ScoreDots(props: ScoreDotsProps) {
  const { title, note, points, minimum, scoreName, nouns = ["answer", "answers"], onSelect, height = 140 } = props;
  const { color = "var(--series-2)", pointName = "Week" } = props;
  const locale = useLocale();
  const drawn = useMemo(() => points.map(({ label, score, n }) => ({ label, score, n })), [points]);
  const largest = Math.max(1, ...points.map(({ n }) => n));

  const scoreWords = ({ score, n }: ScorePoint) =>
    score === null ? "no answers" : n < minimum ? `too few (at least ${minimum})` : `${formatNumber(score, locale)} %`;

  return (
    <ChartFrame
      title={title}
      note={note}
      legend={
        <Legend
          marks={[
            { name: `${scoreName}; the dot grows with n`, color, round: true },
            { name: `Fewer than ${minimum} ${nouns[1]}`, color, outline: true, round: true },
          ]}
        />
      }
      table={{
        columns: [{ name: pointName }, { name: scoreName, align: "end" }],
        rows: points.map((point) => ({
          key: point.key,
          cells: [
            point.title,
            <Percent
              key="score"
              score={point.score}
              n={point.n}
              minimum={minimum}
              nouns={nouns}
              onPress={onSelect && point.n > 0 ? () => onSelect(point) : undefined}
              pressLabel={`${point.title}, show them`}
            />,
          ],
        })),
      }}
    >
      <div className="relative" style={{ height }}>
        <div aria-hidden className="absolute inset-0">
          <ComposedChart
            responsive
            accessibilityLayer={false}
            data={drawn}
            style={{ width: "100%", height: "100%" }}
            margin={{ top: PLOT.top, right: PLOT.right, bottom: 0, left: 0 }}
          >
            <XAxis
              dataKey="label"
              scale="band"
              height={PLOT.bottom}
              tickLine={false}
              axisLine={{ stroke: "var(--edge)" }}
              tick={{ fill: "var(--muted)", fontSize: 11 }}
              interval="preserveStartEnd"
              minTickGap={12}
            />
            <YAxis
              width={PLOT.left}
              domain={[0, 100]}
              ticks={[0, 50, 100]}
              tickFormatter={(value: number) => `${value}%`}
              tickLine={false}
              axisLine={false}
              tick={{ fill: "var(--muted)", fontSize: 11 }}
            />
            <Line
              dataKey="score"
              stroke={color}
              strokeOpacity={0.35}
              strokeWidth={1.5}
              connectNulls={false}
              isAnimationActive={false}
              activeDot={false}
              dot={({ cx, cy, payload, index }) => {
                const { score, n } = payload as { score: number | null; n: number };
                if (score === null || cx === undefined || cy === undefined) return <g key={index} />;
                const few = n < minimum;
                return (
                  <circle
                    key={index}
                    cx={cx}
                    cy={cy}
                    r={3 + 4 * Math.sqrt(n / largest)}
                    fill={few ? "var(--canvas)" : color}
                    stroke={color}
                    strokeWidth={1.5}
                    strokeDasharray={few ? "2 2" : undefined}
                  />
                );
              }}
            />
          </ComposedChart>
        </div>
        <PointStrip
          label={`${title}: points. Arrow keys move${onSelect ? ", Enter opens" : ""}.`}
          points={points.map((point) => ({
            key: point.key,
            name: `${point.title}: ${scoreName} ${scoreWords(point)}, n ${point.n}`,
            tip: (
              <Tip
                title={point.title}
                lines={[
                  [scoreName, scoreWords(point)],
                  ["n", formatNumber(point.n, locale)],
                ]}
              />
            ),
          }))}
          onSelect={
            onSelect &&
            ((at) => {
              const point = points[at];
              if (point && point.n > 0) onSelect(point);
            })
          }
        />
      </div>
    </ChartFrame>
  );
}
