"use client";

import { useQuery } from "@tanstack/react-query";
import NextLink from "next/link";
import { connectionQueries } from "#app/_queries/connections.ts";
import { useNow } from "#app/_ui/clock.ts";
import { useLocale, useTimeZone } from "#app/_ui/locale.tsx";
import { Skeleton } from "#app/_ui/skeleton.tsx";
import { type Status, statusIcon, statusText } from "#app/_ui/status.ts";
import { clockWords, exactWords } from "#app/_ui/time-words.ts";
import { Tooltip } from "#app/_ui/tooltip.tsx";
import { type Freshness, freshnessOf, isUsed } from "./freshness.ts";

/** How old the numbers are, when they were last verified, how the connections are; opens the connection, or all where there are several. */
export function FreshnessStamp() {
  const { data: connections, error } = useQuery(connectionQueries.list());
  const now = useNow();
  if (!now || (!connections && !error)) return <Skeleton className="w-24 sm:w-56" />;
  const used = connections?.items.filter(isUsed) ?? [];
  const href = used.length === 1 ? `/connections/${used[0]?.id}` : "/connections";
  const freshness: Freshness = connections
    ? freshnessOf(connections.items, now)
    : { status: "unknown", words: "state unknown", asOf: null, verified: null };
  return <Stamp freshness={freshness} now={now} href={href} />;
}

function Stamp({ freshness, now, href }: { freshness: Freshness; now: Date; href: string }) {
  const locale = useLocale();
  const zone = useTimeZone();
  const clock = (instant: string | null) => instant && clockWords(new Date(instant), now, locale, zone);
  const exact = (instant: string | null) => (instant ? exactWords(new Date(instant), locale, zone) : "not yet");
  const { status, words, asOf, verified } = freshness;
  const Icon = statusIcon[status as Status];
  return (
    <Tooltip
      side="bottom"
      content={
        <dl className="grid grid-cols-[auto_1fr] gap-x-3">
          <dt className="text-muted">Everything read up to</dt>
          <dd>{exact(asOf)}</dd>
          <dt className="text-muted">Verified against the source</dt>
          <dd>{exact(verified)}</dd>
        </dl>
      }
    >
      <NextLink
        href={href}
        className="flex min-h-6 items-center gap-2 rounded-sm text-table whitespace-nowrap text-muted tabular-nums hover:text-ink"
      >
        {asOf && (
          <span>
            <span className="max-sm:sr-only">as of </span>
            {clock(asOf)}
          </span>
        )}
        {asOf && (
          <span className="-ms-1 max-lg:sr-only">
            · {verified ? `verified ${clock(verified)}` : "not verified yet"}
          </span>
        )}
        <span className="flex items-center gap-1">
          <Icon aria-hidden className={`size-3.5 shrink-0 ${statusText[status]}`} />
          <span className={status === "good" ? "max-sm:sr-only" : undefined}>{words}</span>
        </span>
      </NextLink>
    </Tooltip>
  );
}
