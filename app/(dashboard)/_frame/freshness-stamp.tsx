"use client";

import { useQuery } from "@tanstack/react-query";
import { Shield, ShieldCheck } from "lucide-react";
import NextLink from "next/link";
import type { ReactNode } from "react";
import { connectionQueries } from "#app/_queries/connections.ts";
import { cn } from "#app/_ui/class-names.ts";
import { useNow } from "#app/_ui/clock.ts";
import { Flash } from "#app/_ui/flash.tsx";
import { useLocale, useTimeZone } from "#app/_ui/locale.tsx";
import { formatNumber } from "#app/_ui/num.tsx";
import { Skeleton } from "#app/_ui/skeleton.tsx";
import { statusIcon, statusText } from "#app/_ui/status.ts";
import { clockWords, exactWords } from "#app/_ui/time-words.ts";
import { Tooltip } from "#app/_ui/tooltip.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import { type Freshness, freshnessOf, isUsed } from "./freshness.ts";
import { useSilence } from "./silence.ts";

/** How old the numbers are, when they were last verified, how the connections are. The verification opens its check, the rest the connection, or all where there are several. */
export function FreshnessStamp() {
  const { data: connections, error } = useQuery(connectionQueries.list());
  const silence = useSilence();
  const now = useNow();
  if (!now || (!connections && !error)) return <Skeleton className="w-24 sm:w-56" />;
  const known: Freshness | null = connections ? freshnessOf(connections.items, now) : null;
  const freshness: Freshness =
    known && !silence
      ? known
      : { asOf: known?.asOf ?? null, verified: known?.verified ?? null, status: "unknown", words: "state unknown" };
  return <Stamp freshness={freshness} now={now} used={connections?.items.filter(isUsed) ?? []} />;
}

function Stamp({ freshness, now, used }: { freshness: Freshness; now: Date; used: readonly Connection[] }) {
  const locale = useLocale();
  const zone = useTimeZone();
  const clock = (instant: string) => clockWords(new Date(instant), now, locale, zone);
  const exact = (instant: string | null) => (instant ? exactWords(new Date(instant), locale, zone) : "not yet");
  const { status, words, asOf, verified } = freshness;
  const Icon = statusIcon[status];
  const VerifiedIcon = verified ? ShieldCheck : Shield;
  const connectionHref = used.length === 1 ? `/connections/${used[0]?.id}` : "/connections";
  const checked = used.find((connection) => (connection.verified?.at ?? null) === verified);
  const found = checked?.verified;
  const absent = checked?.absences.reduce((sum, { rows }) => sum + rows, 0) ?? 0;
  const undecided =
    absent > 0
      ? `; ${formatNumber(absent, locale)} that Zendesk no longer shows ${absent === 1 ? "is" : "are"} kept`
      : "";
  return (
    <div className="flex items-center gap-2 text-table whitespace-nowrap text-muted tabular-nums">
      {asOf && (
        <Part href={connectionHref} content={`Everything is read up to ${exact(asOf)}`}>
          <Flash value={asOf} of="as of">
            <span className="max-sm:sr-only">as of </span>
            {clock(asOf)}
          </Flash>
        </Part>
      )}
      {asOf && checked && (
        <Part
          href={`/connections/${checked.id}?tab=checks${found ? "&check=latest" : ""}`}
          className="lg:-ms-1"
          content={
            found
              ? `Verified against Zendesk ${exact(found.at)}: ${formatNumber(found.tickets, locale)} tickets, ${formatNumber(found.repaired, locale)} repaired${undecided}`
              : "What is stored was not compared with Zendesk yet"
          }
        >
          <span aria-hidden className="me-1 max-lg:hidden">
            ·
          </span>
          <VerifiedIcon aria-hidden className="size-4 shrink-0 lg:hidden" />
          <span className="max-lg:sr-only">
            <Flash value={verified} of="verified">
              {verified ? `verified ${clock(verified)}` : "not verified yet"}
            </Flash>
          </span>
        </Part>
      )}
      <Part
        href={connectionHref}
        content={status === "good" ? "Every connection reads as it should" : "Show how the connections stand"}
      >
        <Icon aria-hidden className={`me-1 size-3.5 shrink-0 ${statusText[status]}`} />
        <span className={status === "good" ? "max-sm:sr-only" : undefined}>{words}</span>
      </Part>
    </div>
  );
}

type PartProps = { href: string; content: string; className?: string; children: ReactNode };

function Part({ href, content, className, children }: PartProps) {
  return (
    <Tooltip side="bottom" content={content}>
      <NextLink href={href} className={cn("flex min-h-6 min-w-6 items-center rounded-sm hover:text-ink", className)}>
        {children}
      </NextLink>
    </Tooltip>
  );
}
