"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useMemo } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { Empty } from "#app/_ui/empty.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { EntryList } from "#app/(dashboard)/_timeline/entry-list.tsx";
import type { TimelineKind } from "#lib/timeline/shapes.ts";

/** What notifies (T-28, T-30 … T-32): top-priority tickets created, solved, reopened, and bad ratings of any priority. */
const NOTIFYING: TimelineKind[] = ["ticket_created", "ticket_solved", "ticket_reopened", "rating_bad"];
const BAD_NEWS: TimelineKind[] = ["ticket_created", "ticket_reopened", "rating_bad"];

/** What happened across the accounts in view, newest first. */
export function Feed({ ownerEmail }: { ownerEmail: string }) {
  const [choice, setChoice] = useQueryState("feed", parseAsStringLiteral(["all", "bad"] as const).withDefault("all"));
  const kinds = choice === "all" ? NOTIFYING : BAD_NEWS;
  const feed = useInfiniteQuery(accountQueries.feed({ kinds, priority: "top", ownerEmail }));
  const entries = useMemo(() => feed.data?.pages.flatMap((page) => page.items), [feed.data]);
  return (
    <section aria-label="What happened" className="flex min-h-0 flex-1 flex-col">
      <header className="flex min-h-12 shrink-0 items-center justify-between gap-2 border-b border-line px-4">
        <h2 className="text-body font-semibold">What happened</h2>
        <Segmented
          label="Which entries"
          value={choice}
          onChange={(next) => void setChoice(next)}
          options={[
            { value: "all", label: "All" },
            { value: "bad", label: "Trouble", name: "Created, reopened and bad ratings" },
          ]}
        />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <section className="min-h-0 flex-1 overflow-y-auto px-4" tabIndex={0} aria-label="Entries">
        <QueryStates
          query={{ ...feed, data: entries }}
          what="what happened"
          skeleton={<SkeletonLines lines={12} className="pt-4" />}
          isEmpty={(list) => list.length === 0}
          empty={
            <Empty kind="none" title="Nothing happened yet">
              Tickets of top priority that are created, solved or reopened, and bad ratings, appear here.
            </Empty>
          }
        >
          {(list) => (
            <EntryList
              entries={list}
              dense
              hasMore={feed.hasNextPage}
              fetchingMore={feed.isFetchingNextPage}
              onFetchMore={() => void feed.fetchNextPage()}
            />
          )}
        </QueryStates>
      </section>
    </section>
  );
}
