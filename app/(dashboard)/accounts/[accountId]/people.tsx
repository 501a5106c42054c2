"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import type { DataColumn } from "#app/_ui/data-table/columns.tsx";
import { DataTable } from "#app/_ui/data-table/data-table.tsx";
import { defaultView, type TableView } from "#app/_ui/data-table/view.ts";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { SearchField } from "#app/_ui/search-field.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import type { PersonItem } from "#lib/people/shapes.ts";

const columns: DataColumn<PersonItem>[] = [
  {
    id: "name",
    header: "Name",
    width: 176,
    cell: (person) => (
      <Link quiet external href={person.url}>
        {person.name || "(no name)"}
      </Link>
    ),
  },
  {
    id: "email",
    header: "E-mail",
    width: 208,
    cell: ({ email }) => email ?? <Unknown reason="Zendesk has no e-mail of this person" />,
  },
  {
    id: "ticketsTotal",
    header: "Tickets",
    description: "Tickets that this person reported for this account",
    width: 80,
    align: "end",
    cell: ({ ticketsTotal }) => <Num value={ticketsTotal} />,
  },
  {
    id: "lastTicketAt",
    header: "Last ticket",
    width: 96,
    cell: ({ lastTicketAt }) =>
      lastTicketAt ? <RelativeTime at={lastTicketAt} /> : <Unknown reason="Never reported a ticket" />,
  },
  { id: "active", header: "State", width: 88, cell: ({ active }) => (active ? "active" : "inactive") },
];

/** End users of the account's organizations. */
export function People({ id }: { id: string }) {
  const [q, setQ] = useState("");
  const [view, setView] = useState<TableView>(defaultView);
  const people = useInfiniteQuery(accountQueries.people(id, q));
  const rows = useMemo(() => people.data?.pages.flatMap((page) => page.items), [people.data]);
  return (
    <div className="flex h-[40rem] max-h-[calc(100dvh-5rem)] flex-col">
      <div className="pb-3">
        <SearchField label="Search people" value={q} onChange={setQ} shortcut={null} />
      </div>
      <DataTable
        label="People"
        nouns={["person", "people"]}
        columns={columns}
        rows={rows}
        rowId={(person) => `${person.connectionId}/${person.zendeskUserId}`}
        view={view}
        onViewChange={setView}
        hasMore={people.hasNextPage}
        fetchingMore={people.isFetchingNextPage}
        onFetchMore={people.fetchNextPage}
        stale={people.isPlaceholderData}
        error={people.error}
        onRetry={people.refetch}
        retrying={people.isFetching}
        empty={
          q ? (
            <Empty kind="no-match" title="Nobody matches">
              The search looks at names and e-mails.
            </Empty>
          ) : (
            <Empty kind="none" title="No people">
              End users of the account’s Zendesk organizations appear here.
            </Empty>
          )
        }
      />
    </div>
  );
}
