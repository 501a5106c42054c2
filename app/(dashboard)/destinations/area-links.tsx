"use client";

import { useQuery } from "@tanstack/react-query";
import NextLink from "next/link";
import { usePathname, useSearchParams } from "next/navigation";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { cn } from "#app/_ui/class-names.ts";
import { fadingEdges, useChosenInView } from "#app/_ui/fading-edges.ts";
import { Num } from "#app/_ui/num.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Destination } from "#lib/destinations/shapes.ts";

const sum = (items: readonly Destination[], state: "failed" | "held" | "unknown") =>
  items.reduce((all, { deliveries }) => all + deliveries[state], 0);

/** Where one can look: what goes out, what comes in, every write, and what waits for a person. */
export function AreaLinks() {
  const { user } = useSession();
  const path = usePathname();
  const state = useSearchParams().get("state");
  const items = useQuery(destinationQueries.list()).data?.items ?? [];
  const log = "/destinations/deliveries";
  const inLog = (wanted: string | null) => path === log && (wanted === null ? !isQueue(state) : state === wanted);
  const links = [
    { href: "/destinations", label: "Overview", current: path === "/destinations", count: 0 },
    { href: "/destinations/events", label: "Live events", current: path === "/destinations/events", count: 0 },
    { href: log, label: "Deliveries", current: inLog(null), count: 0 },
    {
      href: `${log}?state=failed`,
      label: "Dead letters",
      current: inLog("failed"),
      count: sum(items, "failed"),
    },
    { href: `${log}?state=held`, label: "Approvals", current: inLog("held"), count: sum(items, "held") },
    { href: `${log}?state=unknown`, label: "Unknown", current: inLog("unknown"), count: sum(items, "unknown") },
  ];
  const strip = useChosenInView(`[href="${links.find(({ current }) => current)?.href}"]`);
  if (user.role === "viewer") return null;
  return (
    <nav aria-label="Events and deliveries" className="shrink-0 border-b border-line px-4">
      <ul ref={strip} className={cn("flex gap-4", fadingEdges)}>
        {links.map(({ href, label, current, count }) => (
          <li key={href} className="shrink-0">
            <NextLink
              href={href}
              aria-current={current ? "page" : undefined}
              data-focus="inset"
              className={cn(
                "-mb-px flex h-9 items-center gap-1.5 border-b-2 px-0.5 text-body",
                current ? "border-accent font-medium text-ink" : "border-transparent text-muted hover:text-ink",
              )}
            >
              {label}
              {count > 0 && (
                <span className="text-small font-normal text-muted">
                  <Num value={count} />
                </span>
              )}
            </NextLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const isQueue = (state: string | null) => state === "failed" || state === "held" || state === "unknown";
