"use client";

import { useQuery } from "@tanstack/react-query";
import { ApiError } from "#app/_queries/client.ts";
import { deliveryQueries } from "#app/_queries/deliveries.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Gone } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { destinationAddress, eventsAddress, wayOut } from "#app/(dashboard)/destinations/addresses.ts";
import { commandNames, deliveryWords, shownState } from "#app/(dashboard)/destinations/destination-words.ts";
import { JsonText } from "#app/(dashboard)/destinations/json-text.tsx";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";
import type { DeliveryDetail } from "#lib/destinations/shapes.ts";
import { AffectedTickets } from "./affected-tickets.tsx";
import { Decision } from "./decision.tsx";
import { Exchanges } from "./exchanges.tsx";

/** One write from its event to everything that was said to Zendesk, with what a person can do about it. */
export function DeliveryPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const delivery = useQuery({ ...deliveryQueries.one(id), placeholderData: undefined });
  const loaded = delivery.data;
  const gone = delivery.error instanceof ApiError && delivery.error.status === 404;
  return (
    <SidePanel
      open
      onClose={onClose}
      title={loaded ? `${commandNames[loaded.action]}: ${loaded.subject}` : "Delivery"}
      description={loaded && `through ${loaded.destination.name}`}
    >
      {gone ? (
        <Gone title="This delivery does not exist" />
      ) : (
        <QueryStates query={delivery} what="the delivery" skeleton={<SkeletonLines lines={10} />} className="px-4 py-4">
          {(value) => <DeliveryBody delivery={value} />}
        </QueryStates>
      )}
    </SidePanel>
  );
}

function DeliveryBody({ delivery }: { delivery: DeliveryDetail }) {
  const { state, affectedTickets, exchanges, event } = delivery;
  return (
    <div className="flex flex-col gap-6">
      <Standing delivery={delivery} />
      {affectedTickets && <AffectedTickets tickets={affectedTickets} state={state} />}
      <Decision delivery={delivery} />
      <Section title="Said to Zendesk" description="In order, secrets removed.">
        <Exchanges exchanges={exchanges} />
      </Section>
      <Section title="Command" description={`By version ${delivery.actionVersion} of the action.`}>
        <Fields values={delivery.command.fields} empty="It has no fields." />
        {Object.keys(delivery.command.unmapped).length > 0 && (
          <>
            <h3 className="mt-3 mb-1 text-table font-medium">Traits that no rule names</h3>
            <Fields values={delivery.command.unmapped} empty="" />
          </>
        )}
      </Section>
      {event && (
        <Section
          title="Event"
          description={
            <>
              {event.name ? `${event.type} · ${event.name}` : event.type}, received{" "}
              <RelativeTime at={event.receivedAt} />
            </>
          }
          actions={<Link href={eventsAddress({ event: event.id })}>Open the event</Link>}
        >
          <JsonText value={event.payload} label="The event" />
        </Section>
      )}
      <Section title="Delivery">
        <Facts
          facts={[
            {
              term: "Destination",
              value: <Link href={destinationAddress(delivery.destination.id)}>{delivery.destination.name}</Link>,
            },
            { term: "Created", value: <RelativeTime at={delivery.createdAt} /> },
            { term: "Changed", value: <RelativeTime at={delivery.updatedAt} /> },
            { term: "Tries", value: delivery.attempts },
            ...(delivery.messageId ? [{ term: "Message id", value: <code>{delivery.messageId}</code> }] : []),
            ...(delivery.code ? [{ term: "Code", value: <code>{delivery.code}</code> }] : []),
          ]}
        />
      </Section>
    </div>
  );
}

/** How it stands, why, and what to do. */
function Standing({ delivery }: { delivery: DeliveryDetail }) {
  const { state, code, reason, fix, notes, result, dueAt, approved } = delivery;
  const { status, words, means } = deliveryWords[shownState(delivery)];
  return (
    <div className="flex flex-col gap-2">
      <p className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <StatusDot status={status} className="font-medium">
          {words}
        </StatusDot>
        <span className="text-table text-muted">{means}</span>
      </p>
      {(reason ?? fix) && (
        <Notice
          kind={state === "failed" ? "failure" : "warning"}
          title={<TextWithTimes text={reason ?? means} />}
          actions={state === "queued" && <WayOut destinationId={delivery.destination.id} />}
        >
          {fix}
        </Notice>
      )}
      {dueAt && (
        <p className="text-table">
          {state === "unknown" ? "Looked up again by itself" : "Tried again by itself"}: <RelativeTime at={dueAt} />.
        </p>
      )}
      {approved && <Approved approved={approved} state={state} code={code} />}
      {result && (
        <p className="text-table">
          In Zendesk:{" "}
          {result.url ? (
            <Link href={result.url} external>
              {result.kind} {result.id}
            </Link>
          ) : (
            `${result.kind} ${result.id}`
          )}
        </p>
      )}
      {notes.length > 0 && (
        <ul aria-label="Notes" className="list-disc ps-5 text-table">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The way to what keeps everything of a destination queued, where that is its connection. */
function WayOut({ destinationId }: { destinationId: string }) {
  const { data: destination } = useQuery(destinationQueries.one(destinationId));
  const way = destination?.blocked && wayOut(destination.blocked, destination.connectionId);
  return way && <Link href={way.href}>{way.label}</Link>;
}

/** A person's word; what is held after it was looked up once more, or is held for something that they were not asked about. */
function Approved({
  approved,
  state,
  code,
}: Pick<DeliveryDetail, "state" | "code"> & { approved: NonNullable<DeliveryDetail["approved"]> }) {
  const { by, at, codes } = approved;
  const isSame = code !== null && codes.includes(code);
  return (
    <p className="text-table">
      {state === "held" && isSame && "Looked up again after it was approved"}
      {state === "held" && !isSame && "Approved for another reason"}
      {state !== "held" && "Approved"}
      {by && ` by ${by}`} <RelativeTime at={at} />
      {state === "held" && (isSame ? ": it stands as before." : "; this one needs a word of its own.")}
      {state !== "held" && "."}
    </p>
  );
}

function Fields({ values, empty }: { values: Record<string, unknown>; empty: string }) {
  const entries = Object.entries(values);
  if (entries.length === 0) return <p className="text-table text-muted">{empty}</p>;
  return <Facts facts={entries.map(([term, value]) => ({ term, value: <ValueText value={value} /> }))} />;
}
