"use client";

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { parseAsString, useQueryState } from "nuqs";
import { useMemo, useState } from "react";
import { deliveryQueries } from "#app/_queries/deliveries.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { ColumnChooser } from "#app/_ui/data-table/column-chooser.tsx";
import { DataTable } from "#app/_ui/data-table/data-table.tsx";
import { useGrowingRows } from "#app/_ui/data-table/growing-rows.ts";
import { NewRows } from "#app/_ui/data-table/new-rows.tsx";
import { useUrlTableView } from "#app/_ui/data-table/url-view.ts";
import { useShortcut } from "#app/_ui/shortcuts.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { useDeliveryFilters } from "#app/(dashboard)/destinations/filters.ts";
import type { Delivery } from "#lib/destinations/shapes.ts";
import { deliveryColumns, isReplayable } from "./delivery-columns.tsx";
import { DeliveryFilterBar } from "./delivery-filter-bar.tsx";
import { DeliveryPanel } from "./delivery-panel.tsx";
import { NoDeliveries } from "./no-deliveries.tsx";
import { ReplayBar } from "./replay-bar.tsx";

const nouns = ["delivery", "deliveries"] as const;
const rowId = ({ id }: Delivery) => id;

/** Every write and what became of it, newest first; of one destination, or of all. One opens beside the list. */
export function DeliveryLog({ destinationId }: { destinationId?: string }) {
  const { user } = useSession();
  const admin = user.role === "admin";
  const [view, setView] = useUrlTableView(null, "deliveries-");
  const [open, setOpen] = useQueryState("delivery", parseAsString);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const { filters, filtered, change, search, clear } = useDeliveryFilters(destinationId);
  const destinations = useQuery(destinationQueries.list()).data?.items;
  const ofOne = destinationId !== undefined || destinations?.length === 1;
  const deliveries = useInfiniteQuery(deliveryQueries.list(filters));
  const loaded = useMemo(() => deliveries.data?.pages.flatMap((page) => page.items), [deliveries.data]);
  const growing = useGrowingRows({
    rows: loaded,
    rowId,
    question: JSON.stringify(filters),
    stale: deliveries.isPlaceholderData,
  });
  const columns = useMemo(
    () =>
      deliveryColumns({
        ofOne,
        ofState: filters.state !== null,
        selection: admin
          ? {
              has: (id) => chosen.includes(id),
              toggle: (id) => setChosen((now) => (now.includes(id) ? now.filter((one) => one !== id) : [...now, id])),
            }
          : null,
      }),
    [ofOne, filters.state, admin, chosen],
  );
  useShortcut({ keys: "x", label: "Choose the row", run: chooseFocusedRow, enabled: admin });
  // What left the list, or was done meanwhile, is no longer chosen.
  const ids = growing.rows?.filter(({ id, state }) => chosen.includes(id) && isReplayable(state)).map(rowId) ?? [];
  return (
    <>
      <DeliveryFilterBar
        filters={filters}
        destinations={destinationId === undefined ? destinations : undefined}
        onChange={change}
        onSearch={search}
        onClear={filtered ? clear : undefined}
        end={
          <>
            <NewRows nouns={nouns} waiting={growing.waiting} onShow={growing.show} />
            <ColumnChooser columns={columns} view={view} onViewChange={setView} />
          </>
        }
      />
      {admin && <ReplayBar filters={filters} chosen={ids} onDone={() => setChosen([])} />}
      <div className="flex min-h-0 flex-1 flex-col" {...growing.attention}>
        <DataTable
          label="Deliveries"
          nouns={nouns}
          columns={columns}
          rows={growing.rows}
          rowId={rowId}
          view={view}
          onViewChange={setView}
          onOpenRow={({ id }) => void setOpen(id, { history: "push" })}
          hasMore={deliveries.hasNextPage}
          fetchingMore={deliveries.isFetchingNextPage}
          onFetchMore={deliveries.fetchNextPage}
          stale={deliveries.isPlaceholderData}
          error={deliveries.error}
          onRetry={deliveries.refetch}
          retrying={deliveries.isFetching}
          empty={<NoDeliveries filters={filters} filtered={filtered} connected={(destinations?.length ?? 0) > 0} />}
        />
      </div>
      {open && <DeliveryPanel id={open} onClose={() => void setOpen(null)} />}
    </>
  );
}

/** Presses the box of the row that the keyboard is in; where it has none, nothing. */
function chooseFocusedRow() {
  document.activeElement?.closest("tr")?.querySelector<HTMLElement>('[role="checkbox"]')?.click();
}
