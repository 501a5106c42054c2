"use client";

import { useMemo } from "react";
import { Button } from "#app/_ui/button.tsx";
import { useNow } from "#app/_ui/clock.ts";
import { useLocale, useTimeZone } from "#app/_ui/locale.tsx";
import { dayHeading } from "#app/_ui/time-words.ts";
import { Entry } from "#app/(dashboard)/_timeline/entry.tsx";
import type { FeedEntry, TimelineEntry } from "#lib/timeline/shapes.ts";

type EntryListProps = {
  entries: readonly (TimelineEntry | FeedEntry)[];
  dense?: boolean;
  hasMore: boolean;
  fetchingMore: boolean;
  onFetchMore: () => void;
};

/** Entries under the day they fell on, newest first. */
export function EntryList({ entries, dense, hasMore, fetchingMore, onFetchMore }: EntryListProps) {
  const locale = useLocale();
  const zone = useTimeZone();
  const now = useNow();
  const days = useMemo(() => {
    if (!now) return [];
    const byDay = new Map<string, (TimelineEntry | FeedEntry)[]>();
    for (const entry of entries) {
      const words = dayHeading(new Date(entry.occurredAt), now, locale, zone);
      byDay.set(words, [...(byDay.get(words) ?? []), entry]);
    }
    return [...byDay];
  }, [entries, now, locale, zone]);

  return (
    <>
      {days.map(([day, ofDay]) => (
        <section key={day} aria-label={day}>
          <h3 className="sticky top-0 z-[1] bg-canvas pt-2 pb-1 text-small font-medium text-muted">{day}</h3>
          <ul>
            {ofDay.map((entry) => (
              <Entry key={entry.id} entry={entry} dense={dense} />
            ))}
          </ul>
        </section>
      ))}
      {hasMore && (
        <Button variant="ghost" busy={fetchingMore} onClick={onFetchMore} className="my-2">
          Show earlier
        </Button>
      )}
    </>
  );
}
