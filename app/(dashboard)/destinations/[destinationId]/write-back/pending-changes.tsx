"use client";

import type { WriteBack } from "#app/_queries/destinations.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Num, useCount } from "#app/_ui/num.tsx";
import { Section } from "#app/_ui/section.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import {
  Cell,
  HeadCell,
  RowHeadCell,
  ScrollingTable,
} from "#app/(dashboard)/connections/[connectionId]/table-cells.tsx";
import { deliveriesAddress } from "#app/(dashboard)/destinations/addresses.ts";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";

type PendingChangesProps = Pick<WriteBack, "pending" | "tried"> & { destinationId: string };

/** What would change in Zendesk if it ran now, and what was tried already and is not there yet. */
export function PendingChanges({ destinationId, pending, tried }: PendingChangesProps) {
  const isTried = tried.failed + tried.open > 0;
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
      <Tried destinationId={destinationId} tried={tried} />
      {pending.examples.length === 0 ? (
        <p className="text-table text-muted">
          {isTried
            ? "No other field differs."
            : "Every field holds its number as far as Zendesk was read, or none is chosen."}
        </p>
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

/** What was queued counts as written until its number changes: so it is told apart whether it arrived. */
function Tried({ destinationId, tried: { failed, open } }: Pick<PendingChangesProps, "destinationId" | "tried">) {
  const { user } = useSession();
  const count = useCount();
  if (failed + open === 0) return null;
  const organizations = (number: number) => `${count(number)} ${number === 1 ? "organization" : "organizations"}`;
  const words = [
    ...(failed > 0 ? [`The last write of ${organizations(failed)} failed`] : []),
    ...(open > 0 ? [`${failed > 0 ? "that" : "The last write"} of ${organizations(open)} is on its way`] : []),
  ].join(", ");
  const address = deliveriesAddress({
    destination: destinationId,
    action: "write_back",
    ...(failed > 0 && { state: "failed" }),
  });
  return (
    <Notice
      kind={failed > 0 ? "failure" : "info"}
      title={`${words}.`}
      actions={user.role !== "viewer" && <Link href={address}>Show the deliveries</Link>}
      className="mb-3"
    >
      {failed > 0 && "Their fields are as they were. It is tried again when a number changes, or when you replay them."}
    </Notice>
  );
}
