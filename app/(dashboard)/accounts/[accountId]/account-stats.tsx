import { Delta } from "#app/_ui/delta.tsx";
import { Stat, StatRow } from "#app/_ui/stat.tsx";
import { rated } from "#app/(dashboard)/_portfolio/account-columns.tsx";
import { metricWords, windowWords } from "#app/(dashboard)/_tickets/metric-words.ts";
import type { AccountMetrics, MetricKey } from "#lib/metrics/shapes.ts";

type AccountStatsProps = {
  metrics: AccountMetrics;
  minimumRatings: number;
  onOpenNumber: (metric: MetricKey) => void;
};

/** The key numbers; each opens exactly its tickets. */
export function AccountStats({ metrics, minimumRatings, onOpenNumber }: AccountStatsProps) {
  const span = windowWords(metrics.windowDays);
  const before = `the ${span} before`;
  const open = (metric: MetricKey) => ({ onPress: () => onOpenNumber(metric), pressLabel: "show the tickets" });
  const score = (metric: "csat" | "topCsat") => {
    const now = metrics[metric];
    const earlier = metrics.previous[metric];
    const enough = rated(now) >= minimumRatings;
    const comparable = enough && rated(earlier) >= minimumRatings;
    return (
      <Stat
        label={`${metricWords[metric].label} · ${span}`}
        value={enough ? now.score : null}
        unit="%"
        n={rated(now)}
        of={metrics.windowDays}
        reason={now.reason ?? `At least ${minimumRatings} ratings are needed; there are ${rated(now)}`}
        delta={
          <Delta
            current={comparable ? now.score : null}
            previous={comparable ? earlier.score : null}
            goodWhen="up"
            unit="pts"
            before={before}
            reason={`To compare, both windows need ${minimumRatings} ratings; there were ${rated(earlier)} in ${before}`}
            spelled
          />
        }
        {...open(metric)}
      />
    );
  };
  const created = (metric: "ticketsCreated" | "topCreated", label: string) => (
    <Stat
      label={`${label} · ${span}`}
      of={metrics.windowDays}
      value={metrics[metric]}
      delta={
        <Delta current={metrics[metric]} previous={metrics.previous[metric]} goodWhen="down" before={before} spelled />
      }
      {...open(metric)}
    />
  );
  return (
    <StatRow>
      <Stat label="Open now" value={metrics.ticketsUnsolved} {...open("ticketsUnsolved")} />
      <Stat label="Top priority open" value={metrics.topUnsolved} {...open("topUnsolved")} />
      {created("ticketsCreated", "Created")}
      {created("topCreated", "Top created")}
      {score("csat")}
      {score("topCsat")}
    </StatRow>
  );
}
