"use client";

import { Link } from "#app/_ui/link.tsx";
import { Section } from "#app/_ui/section.tsx";
import {
  Cell,
  HeadCell,
  RowHeadCell,
  ScrollingTable,
} from "#app/(dashboard)/connections/[connectionId]/table-cells.tsx";
import type { DeliveryDetail, DeliveryState } from "#lib/destinations/shapes.ts";

type AffectedTicketsProps = { tickets: NonNullable<DeliveryDetail["affectedTickets"]>; state: DeliveryState };

const titles: Partial<Record<DeliveryState, (count: string) => string>> = {
  held: (count) => `Zendesk would unassign ${count}`,
  done: (count) => `Zendesk unassigned ${count}`,
};

/** The working tickets that Zendesk unassigns when the membership goes (C-23): as read before the decision, or before it went. */
export function AffectedTickets({ tickets, state }: AffectedTicketsProps) {
  const count = `${tickets.length} working ${tickets.length === 1 ? "ticket" : "tickets"}`;
  return (
    <Section
      title={titles[state]?.(count) ?? `${count} when it was last read`}
      description="Removing the membership takes the organization from these tickets of the person."
    >
      {tickets.length === 0 ? (
        <p className="text-table text-muted">No working ticket is concerned.</p>
      ) : (
        <ScrollingTable label="Tickets concerned">
          <thead>
            <tr>
              <HeadCell end className="w-px">
                Ticket
              </HeadCell>
              <HeadCell>Subject</HeadCell>
              <HeadCell>Status</HeadCell>
            </tr>
          </thead>
          <tbody>
            {tickets.map(({ id, subject, status, url }) => (
              <tr key={id}>
                <RowHeadCell className="text-end">
                  {url ? (
                    <Link href={url} external>
                      #{id}
                    </Link>
                  ) : (
                    `#${id}`
                  )}
                </RowHeadCell>
                <Cell className="max-w-96 truncate whitespace-normal">{subject || "(no subject)"}</Cell>
                <Cell>{status}</Cell>
              </tr>
            ))}
          </tbody>
        </ScrollingTable>
      )}
    </Section>
  );
}
