"use client";

import { ChevronLeft } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "#app/_ui/class-names.ts";
import { Link } from "#app/_ui/link.tsx";
import { FailureBar } from "./failure-bar.tsx";
import { FirstReadBar } from "./first-read-bar.tsx";
import { FreshnessStamp } from "./freshness-stamp.tsx";
import { NavigationDrawer } from "./navigation.tsx";
import { SilenceBar } from "./silence-bar.tsx";

type ScreenProps = {
  title: string;
  /** Small and muted beside the title: an id, an owner. */
  detail?: ReactNode;
  /** Where this screen was opened from. */
  back?: { href: string; label: string };
  /** Buttons that concern the whole screen. */
  actions?: ReactNode;
  /** "page" scrolls as a whole with padding; "fill" gives its children the exact room (a table that scrolls itself). */
  layout?: "page" | "fill";
  children: ReactNode;
};

/** One screen: title, freshness stamp and failure notice on top, then its content. Every page renders exactly one. */
export function Screen({ title, detail, back, actions, layout = "page", children }: ScreenProps) {
  return (
    <>
      <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2 md:py-0">
        <NavigationDrawer />
        <div className="flex min-w-0 flex-1 items-baseline gap-2">
          {back && (
            <Link href={back.href} quiet className="-ms-1 flex shrink-0 items-center self-center text-table text-muted">
              <ChevronLeft aria-hidden className="size-4" />
              <span className="max-sm:sr-only">{back.label}</span>
            </Link>
          )}
          <h1 className="min-w-0 truncate text-title font-semibold" title={title}>
            {title}
          </h1>
          {detail && <div className="min-w-0 flex-[1_1_0] truncate text-table text-muted max-sm:hidden">{detail}</div>}
        </div>
        {actions && <div className="flex items-center gap-2 max-sm:order-last max-sm:basis-full">{actions}</div>}
        <FreshnessStamp />
      </header>
      <SilenceBar />
      <FailureBar />
      <FirstReadBar />
      <main
        id="main"
        tabIndex={-1}
        data-focus="inset"
        className={cn(
          "min-h-0 flex-1 focus-visible:outline-none",
          layout === "page" ? "overflow-y-auto px-4 py-4" : "flex flex-col overflow-hidden",
        )}
      >
        {children}
      </main>
    </>
  );
}
