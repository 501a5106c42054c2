"use client";

import { Download } from "lucide-react";
import { ticketsCsv } from "#app/_queries/accounts.ts";
import { Button } from "#app/_ui/button.tsx";
import { ColumnChooser } from "#app/_ui/data-table/column-chooser.tsx";
import { useUrlTableView } from "#app/_ui/data-table/url-view.ts";
import { Link } from "#app/_ui/link.tsx";
import { ticketColumns } from "#app/(dashboard)/_tickets/ticket-columns.tsx";
import { TicketTable } from "#app/(dashboard)/_tickets/ticket-table.tsx";

const filters = { metric: undefined, windowDays: undefined };

/** Every ticket of the account, newest first. */
export function AccountTickets({ id }: { id: string }) {
  const [view, setView] = useUrlTableView(null, "tickets-");
  return (
    <div className="flex h-[40rem] max-h-[calc(100dvh-5rem)] flex-col">
      <div className="flex justify-end gap-2 pb-3">
        <ColumnChooser columns={ticketColumns} view={view} onViewChange={setView} />
        <Button asChild>
          <Link quiet download prefetch={false} href={ticketsCsv(id, filters)} className="hover:no-underline">
            <Download aria-hidden />
            CSV
          </Link>
        </Button>
      </div>
      <TicketTable accountId={id} filters={filters} view={view} onViewChange={setView} />
    </div>
  );
}
