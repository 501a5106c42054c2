"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { accountQueries, type TicketFilters } from "#app/_queries/accounts.ts";
import { DataTable } from "#app/_ui/data-table/data-table.tsx";
import { defaultView, type TableView } from "#app/_ui/data-table/view.ts";
import { Empty } from "#app/_ui/empty.tsx";
import { columnsFor } from "#app/(dashboard)/_tickets/ticket-columns.tsx";

type TicketTableProps = {
  accountId: string;
  filters: TicketFilters;
  view?: TableView;
  onViewChange?: (view: TableView) => void;
  rowShortcuts?: boolean;
  asOf?: ReactNode;
};

/** The tickets of an account, or exactly those that a number counts; the foot shows that they are as many. */
export function TicketTable({ accountId, filters, view, onViewChange, rowShortcuts, asOf }: TicketTableProps) {
  const [ownView, setOwnView] = useState<TableView>(defaultView);
  const tickets = useInfiniteQuery(accountQueries.tickets(accountId, filters));
  const rows = useMemo(() => tickets.data?.pages.flatMap((page) => page.items), [tickets.data]);
  return (
    <DataTable
      label="Tickets"
      nouns={["ticket", "tickets"]}
      columns={columnsFor(filters.metric)}
      rows={rows}
      rowId={(ticket) => `${ticket.connectionId}/${ticket.id}`}
      view={view ?? ownView}
      onViewChange={onViewChange ?? setOwnView}
      onOpenRow={(ticket) => window.open(ticket.url, "_blank", "noopener")}
      total={tickets.data?.pages[0]?.total ?? null}
      hasMore={tickets.hasNextPage}
      fetchingMore={tickets.isFetchingNextPage}
      onFetchMore={tickets.fetchNextPage}
      stale={tickets.isPlaceholderData}
      error={tickets.error}
      onRetry={tickets.refetch}
      retrying={tickets.isFetching}
      rowShortcuts={rowShortcuts}
      asOf={asOf}
      empty={
        <Empty kind="none" title="No tickets here">
          {filters.metric
            ? "The number is zero: nothing is counted."
            : "Tickets of this account’s organizations appear here."}
        </Empty>
      }
    />
  );
}
