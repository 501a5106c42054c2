"use client";

import { useQuery } from "@tanstack/react-query";
import { type EventDetail, eventQueries } from "#app/_queries/sources.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { deliveriesAddress } from "#app/(dashboard)/destinations/addresses.ts";
import { commandNames, deliveryWords } from "#app/(dashboard)/destinations/destination-words.ts";
import { JsonText } from "#app/(dashboard)/destinations/json-text.tsx";
import type { CommandKind, DeliveryState } from "#lib/destinations/shapes.ts";
import { eventTitle } from "./event-words.ts";

/** One event: why it was not taken, what it caused, and itself as it came. */
export function EventPanel({ id, onClose }: { id: string; onClose: () => void }) {
  const event = useQuery({ ...eventQueries.one(id), placeholderData: undefined });
  return (
    <SidePanel
      open
      onClose={onClose}
      title={event.data ? eventTitle(event.data) : "Event"}
      description={event.data && `from ${event.data.source.name}`}
    >
      <QueryStates query={event} what="the event" skeleton={<SkeletonLines lines={8} />} className="px-4 py-4">
        {(value) => <EventBody event={value} />}
      </QueryStates>
    </SidePanel>
  );
}

function EventBody({ event }: { event: EventDetail }) {
  const ids = {
    "User id": event.userId,
    "E-mail": event.email,
    "Group id": event.groupId,
    "Anonymous id": event.anonymousId,
  };
  return (
    <div className="flex flex-col gap-6">
      {event.rejection && (
        <Notice kind="failure" title="It was rejected">
          {event.rejection}
        </Notice>
      )}
      <Section title="Deliveries">
        {event.deliveries.length === 0 ? (
          <p className="text-table text-muted">
            {event.rejection ? "A rejected event causes none." : "No action of a destination that is on was for it."}
          </p>
        ) : (
          <ul aria-label="Deliveries" className="-mt-3 divide-y divide-line border-b border-line text-table">
            {event.deliveries.map((delivery) => (
              <EventDelivery key={delivery.id} delivery={delivery} messageId={event.messageId} />
            ))}
          </ul>
        )}
      </Section>
      <Section title="Event">
        <Facts
          facts={[
            { term: "Received", value: <RelativeTime at={event.receivedAt} /> },
            { term: "Happened", value: <RelativeTime at={event.occurredAt} /> },
            ...Object.entries(ids).flatMap(([term, value]) => (value ? [{ term, value }] : [])),
            { term: "Message id", value: <code className="break-all">{event.messageId}</code> },
          ]}
        />
      </Section>
      <Section title="As it came">
        <JsonText value={event.payload} label="The event as it came" />
      </Section>
    </div>
  );
}

function EventDelivery({ delivery, messageId }: { delivery: EventDetail["deliveries"][number]; messageId: string }) {
  const known = deliveryWords[delivery.state as DeliveryState];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
      <Link href={deliveriesAddress({ message: messageId, delivery: delivery.id })}>
        {commandNames[delivery.action as CommandKind] ?? delivery.action}
      </Link>
      <StatusDot status={known?.status ?? "unknown"}>{known?.words ?? delivery.state}</StatusDot>
    </li>
  );
}
