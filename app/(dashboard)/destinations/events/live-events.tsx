"use client";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { parseAsString, useQueryState } from "nuqs";
import { useMemo } from "react";
import { eventQueries, sourceQueries } from "#app/_queries/sources.ts";
import { ColumnChooser } from "#app/_ui/data-table/column-chooser.tsx";
import { DataTable } from "#app/_ui/data-table/data-table.tsx";
import { useGrowingRows } from "#app/_ui/data-table/growing-rows.ts";
import { NewRows } from "#app/_ui/data-table/new-rows.tsx";
import { useUrlTableView } from "#app/_ui/data-table/url-view.ts";
import { Empty, Gone } from "#app/_ui/empty.tsx";
import { FilterBar } from "#app/_ui/filter-bar.tsx";
import { Link } from "#app/_ui/link.tsx";
import { SearchField } from "#app/_ui/search-field.tsx";
import { Select } from "#app/_ui/select.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { AreaLinks } from "#app/(dashboard)/destinations/area-links.tsx";
import { useEventFilters } from "#app/(dashboard)/destinations/filters.ts";
import { type Event, eventTypes } from "#lib/sources/shapes.ts";
import { eventColumns } from "./event-columns.tsx";
import { EventPanel } from "./event-panel.tsx";

const ANY = "any";
const nouns = ["event", "events"] as const;
const rowId = ({ id }: Event) => id;

/** Events as they arrive, accepted or rejected with the reason; one opens beside the list. */
export function LiveEvents() {
  const { user } = useSession();
  if (user.role === "viewer") {
    return (
      <Screen title="Live events">
        <Gone
          title="Events are shown to CSMs and administrators"
          action={<Link href="/destinations">Destinations</Link>}
        />
      </Screen>
    );
  }
  return (
    <Screen title="Live events" layout="fill">
      <AreaLinks />
      <EventLog />
    </Screen>
  );
}

function EventLog() {
  const [view, setView] = useUrlTableView();
  const [open, setOpen] = useQueryState("event", parseAsString);
  const { filters, filtered, change, search, clear } = useEventFilters();
  const sources = useQuery(sourceQueries.list()).data?.items;
  const events = useInfiniteQuery(eventQueries.list(filters));
  const loaded = useMemo(() => events.data?.pages.flatMap((page) => page.items), [events.data]);
  const growing = useGrowingRows({
    rows: loaded,
    rowId,
    question: JSON.stringify(filters),
    stale: events.isPlaceholderData,
  });
  return (
    <>
      <FilterBar
        label="Filters of the events"
        onClear={filtered ? clear : undefined}
        end={
          <>
            <NewRows nouns={nouns} waiting={growing.waiting} onShow={growing.show} />
            <ColumnChooser columns={eventColumns} view={view} onViewChange={setView} />
          </>
        }
      >
        <SearchField
          label="Search events"
          placeholder="Whole id, e-mail or event name"
          value={filters.q}
          onChange={search}
          className="w-72"
        />
        <Select
          label="Source"
          inline
          value={filters.sourceId ?? ANY}
          onChange={(value) => change({ source: value === ANY ? null : value })}
          options={[
            { value: ANY, label: "every" },
            ...(sources ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
        <Select
          label="Type"
          inline
          value={filters.type ?? ANY}
          onChange={(value) => change({ type: value === ANY ? null : value })}
          options={[{ value: ANY, label: "every" }, ...eventTypes.map((value) => ({ value, label: value }))]}
        />
        <Select
          label="State"
          inline
          value={filters.state ?? ANY}
          onChange={(value) => change({ state: value === ANY ? null : value })}
          options={[
            { value: ANY, label: "every" },
            { value: "accepted", label: "accepted" },
            { value: "rejected", label: "rejected" },
          ]}
        />
      </FilterBar>
      <div className="flex min-h-0 flex-1 flex-col" {...growing.attention}>
        <DataTable
          label="Events"
          nouns={nouns}
          columns={eventColumns}
          rows={growing.rows}
          rowId={rowId}
          view={view}
          onViewChange={setView}
          onOpenRow={({ id }) => void setOpen(id, { history: "push" })}
          hasMore={events.hasNextPage}
          fetchingMore={events.isFetchingNextPage}
          onFetchMore={events.fetchNextPage}
          stale={events.isPlaceholderData}
          error={events.error}
          onRetry={events.refetch}
          retrying={events.isFetching}
          empty={<NoEvents filtered={filtered} sourced={(sources?.length ?? 0) > 0} />}
        />
      </div>
      {open && <EventPanel id={open} onClose={() => void setOpen(null)} />}
    </>
  );
}

function NoEvents({ filtered, sourced }: { filtered: boolean; sourced: boolean }) {
  if (filtered) {
    return (
      <Empty kind="no-match" title="No event matches the filters">
        The search takes an id, an e-mail or a name as a whole, not a part of it. Events are kept for a while only; an
        earlier one may be gone.
      </Empty>
    );
  }
  if (!sourced) {
    return (
      <Empty
        kind="never-connected"
        title="No program sends events yet"
        action={<Link href="/destinations">Add a source</Link>}
      />
    );
  }
  return (
    <Empty kind="still-syncing" title="Waiting for the first event">
      It shows here within seconds of its sending. <Link href="/destinations">The sources</Link> have lines to send one.
    </Empty>
  );
}
