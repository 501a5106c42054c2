"use client";

import { useQuery } from "@tanstack/react-query";
import { accountQueries } from "#app/_queries/accounts.ts";
import { ScoreDots } from "#app/_ui/chart/score-dots.tsx";
import { WeekBars } from "#app/_ui/chart/week-bars.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Skeleton } from "#app/_ui/skeleton.tsx";
import { rated } from "#app/(dashboard)/_portfolio/account-columns.tsx";
import type { AccountTrend as Trend } from "#lib/metrics/shapes.ts";

const WEEKS = 26;

/** Tickets and CSAT by calendar week of the past half-year, the half-year before it in outline. */
export function AccountTrend({ id, minimumRatings }: { id: string; minimumRatings: number }) {
  const trend = useQuery(accountQueries.trend(id, 2 * WEEKS));
  return (
    <QueryStates
      query={trend}
      what="the trend"
      skeleton={
        <div className="flex flex-col gap-6">
          <Skeleton className="h-48" />
          <Skeleton className="h-40" />
        </div>
      }
    >
      {(loaded) => <TrendCharts trend={loaded} minimumRatings={minimumRatings} />}
    </QueryStates>
  );
}

function TrendCharts({ trend, minimumRatings }: { trend: Trend; minimumRatings: number }) {
  const words = useWeekWords();
  const shown = trend.weeks.slice(WEEKS);
  const note = `Weeks begin on Monday, ${trend.timeZone}; the last one is not over.`;
  return (
    <div className="flex flex-col gap-6">
      <WeekBars
        title="Tickets a week"
        note={note}
        totalName="Created"
        series={[
          { key: "top", name: "Top priority", color: "var(--top-priority)" },
          { key: "other", name: "Other", color: "var(--series-1)" },
        ]}
        previousName={`Created ${WEEKS} weeks before`}
        points={shown.map((week, at) => ({
          key: week.start,
          ...words(week),
          values: { top: week.topCreated, other: week.ticketsCreated - week.topCreated },
          previous: trend.weeks[at]?.ticketsCreated ?? null,
        }))}
      />
      <ScoreDots
        title="CSAT a week"
        note={`Hollow dots rest on fewer than ${minimumRatings} ratings: too few to read as a percentage.`}
        scoreName="CSAT"
        nouns={["rating", "ratings"]}
        minimum={minimumRatings}
        points={shown.map((week) => ({
          key: week.start,
          ...words(week),
          score: week.csat.score,
          n: rated(week.csat),
        }))}
      />
    </div>
  );
}

/** Calendar days are named as they stand: they are days of the workspace's zone already. */
function useWeekWords() {
  const locale = useLocale();
  const short = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone: "UTC" });
  const long = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  return ({ start, end }: { start: string; end: string }) => {
    const from = new Date(`${start}T00:00:00Z`);
    return { label: short.format(from), title: long.formatRange(from, new Date(`${end}T00:00:00Z`)) };
  };
}
