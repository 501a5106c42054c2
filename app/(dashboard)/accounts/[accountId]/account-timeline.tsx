"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { parseAsArrayOf, parseAsStringLiteral, useQueryState } from "nuqs";
import { useMemo } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { Checkbox } from "#app/_ui/checkbox.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { EntryList } from "#app/(dashboard)/_timeline/entry-list.tsx";
import { kindWords } from "#app/(dashboard)/_timeline/kind-words.tsx";
import { type TimelineKind, timelineKinds } from "#lib/timeline/shapes.ts";

const every: TimelineKind[] = [...timelineKinds];

/** The account's timeline with its filters by kind and priority. */
export function AccountTimeline({ id }: { id: string }) {
  const [kinds, setKinds] = useQueryState(
    "kinds",
    parseAsArrayOf(parseAsStringLiteral(timelineKinds)).withDefault(every),
  );
  const [priority, setPriority] = useQueryState(
    "priority",
    parseAsStringLiteral(["top", "all"] as const).withDefault("top"),
  );
  const chosen = every.filter((kind) => kinds.includes(kind));
  const timeline = useInfiniteQuery(
    // Named one by one: without names the API gives those of tickets only.
    accountQueries.timeline(id, { kinds: chosen, priority }),
  );
  const entries = useMemo(() => timeline.data?.pages.flatMap((page) => page.items), [timeline.data]);
  const toggle = (kind: TimelineKind, wanted: boolean) => {
    const next = every.filter((other) => (other === kind ? wanted : chosen.includes(other)));
    // With nothing chosen there is nothing to ask for: the last one stays.
    if (next.length > 0) void setKinds(next.length === every.length ? null : next);
  };

  return (
    <div className="flex flex-col gap-2">
      <search aria-label="Filters of the timeline" className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Segmented
          label="Priority"
          value={priority}
          onChange={(next) => void setPriority(next)}
          options={[
            { value: "top", label: "Top", name: "Top priority" },
            { value: "all", label: "All", name: "Every priority" },
          ]}
        />
        {every.map((kind) => (
          <Checkbox
            key={kind}
            label={kindWords[kind].label}
            checked={chosen.includes(kind)}
            onChange={(wanted) => toggle(kind, wanted === true)}
          />
        ))}
      </search>
      <QueryStates
        query={{ ...timeline, data: entries }}
        what="the timeline"
        skeleton={<SkeletonLines lines={12} />}
        isEmpty={(list) => list.length === 0}
        empty={
          chosen.length < every.length || priority === "top" ? (
            <Empty kind="no-match" title="Nothing of this kind">
              Show every kind and every priority to see the rest.
            </Empty>
          ) : (
            <Empty kind="none" title="Nothing happened yet">
              Tickets of this account’s organizations appear here.
            </Empty>
          )
        }
      >
        {(list) => (
          <EntryList
            entries={list}
            hasMore={timeline.hasNextPage}
            fetchingMore={timeline.isFetchingNextPage}
            onFetchMore={() => void timeline.fetchNextPage()}
          />
        )}
      </QueryStates>
    </div>
  );
}
