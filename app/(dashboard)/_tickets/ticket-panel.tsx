"use client";

import { Download } from "lucide-react";
import { ticketsCsv } from "#app/_queries/accounts.ts";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import { metricWords, windowWords } from "#app/(dashboard)/_tickets/metric-words.ts";
import { TicketTable } from "#app/(dashboard)/_tickets/ticket-table.tsx";
import type { MetricKey } from "#lib/metrics/shapes.ts";

type TicketPanelProps = {
  accountId: string;
  /** Undefined until the account has come. */
  accountName: string | undefined;
  metric: MetricKey;
  windowDays: number | undefined;
  onClose: () => void;
};

/** The tickets behind a number, over the right side; Escape brings back what was there. */
export function TicketPanel({ accountId, accountName, metric, windowDays, onClose }: TicketPanelProps) {
  const { label, counts, windowed } = metricWords[metric];
  const filters = { metric, windowDays: windowed ? windowDays : undefined };
  const span = windowed && windowDays ? ` in the last ${windowWords(windowDays)}` : "";
  return (
    <SidePanel
      open
      onClose={onClose}
      title={accountName ? `${label} · ${accountName}` : label}
      description={`Exactly the ${counts}${span}`}
      actions={
        <Button asChild size="sm">
          <Link quiet href={ticketsCsv(accountId, filters)} download prefetch={false} className="hover:no-underline">
            <Download aria-hidden />
            CSV
          </Link>
        </Button>
      }
    >
      <TicketTable accountId={accountId} filters={filters} rowShortcuts={false} />
    </SidePanel>
  );
}
