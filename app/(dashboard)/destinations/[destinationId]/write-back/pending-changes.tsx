"use client";

import type { WriteBack } from "#app/_queries/destinations.ts";
import { Num } from "#app/_ui/num.tsx";
import { Section } from "#app/_ui/section.tsx";
import {
  Cell,
  HeadCell,
  RowHeadCell,
  ScrollingTable,
} from "#app/(dashboard)/connections/[connectionId]/table-cells.tsx";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";

/** What would change in Zendesk if it ran now. */
export function PendingChanges({ pending }: { pending: WriteBack["pending"] }) {
  return (
    <Section
      title="Would change now"
      description={
        <>
          <Num value={pending.organizations} /> {pending.organizations === 1 ? "organization" : "organizations"}
          {pending.organizations > 0 && ", if all of these were on; some of them:"}
        </>
      }
    >
      {pending.examples.length === 0 ? (
        <p className="text-table text-muted">Every field holds its number already, or none is chosen.</p>
      ) : (
        <ScrollingTable label="What would change">
          <thead>
            <tr>
              <HeadCell>Organization</HeadCell>
              <HeadCell>Field</HeadCell>
              <HeadCell end>Now</HeadCell>
              <HeadCell end>Then</HeadCell>
            </tr>
          </thead>
          <tbody>
            {pending.examples.map(({ organizationId, name, field, from, to }) => (
              <tr key={`${organizationId} ${field}`}>
                <RowHeadCell className="whitespace-normal">{name}</RowHeadCell>
                <Cell className="whitespace-normal break-all">{field}</Cell>
                <Cell end className="whitespace-normal">
                  <ValueText value={from} />
                </Cell>
                <Cell end className="whitespace-normal">
                  <ValueText value={to} />
                </Cell>
              </tr>
            ))}
          </tbody>
        </ScrollingTable>
      )}
    </Section>
  );
}
