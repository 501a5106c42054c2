"use client";

import { useQuery } from "@tanstack/react-query";
import { connectionQueries } from "#app/_queries/connections.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { deliveriesAddress, wayOut } from "#app/(dashboard)/destinations/addresses.ts";
import { DeliveryCounts } from "#app/(dashboard)/destinations/delivery-counts.tsx";
import { profileNames, stateOf } from "#app/(dashboard)/destinations/destination-words.ts";
import { isWritable, WriteGrant } from "#app/(dashboard)/destinations/write-grant.tsx";
import type { Destination } from "#lib/destinations/shapes.ts";
import { TryEvent } from "./try-event.tsx";

/** How it stands: what waits, a way to try it out, what it is. */
export function Overview({ destination }: { destination: Destination }) {
  const { user } = useSession();
  const { stopped, blocked, unanswered, failing, sources, connection, testedAt } = destination;
  return (
    <div className="flex max-w-5xl flex-col gap-8">
      {stopped && (
        <Notice kind="failure" title="It is stopped: nothing is sent">
          {stopped.by ? `${stopped.by} stopped it ` : "Stopped "}
          <RelativeTime at={stopped.at} />. Events still come in and are queued in their order. An administrator can
          start it again.
        </Notice>
      )}
      {blocked && <Blocked blocked={blocked} connectionId={connection.id} />}
      {!blocked && unanswered && (
        <Notice kind="warning" title={unanswered.reason}>
          {unanswered.fix}
        </Notice>
      )}
      {failing && (
        <Notice
          kind="warning"
          title={failing.reason}
          actions={
            user.role !== "viewer" && (
              <Link href={deliveriesAddress({ destination: destination.id, state: "failed" })}>Dead letters</Link>
            )
          }
        >
          {failing.fix}
        </Notice>
      )}
      {destination.state === "off" && (
        <Notice kind="info" title="It is switched off: it takes no events">
          {testedAt
            ? `A sample went through it. ${user.role === "admin" ? "Enable it when you are ready." : "An administrator can enable it."}`
            : "Try it first: a dry run shows what an event would do, a sample event goes all the way. Then enable it."}
        </Notice>
      )}
      <Section title="Deliveries">
        <div className="max-w-xl">
          <DeliveryCounts destination={destination} />
        </div>
      </Section>
      {user.role !== "viewer" && <TryEvent destination={destination} />}
      <Section title="Destination">
        <Facts
          facts={[
            { term: "State", value: stateOf(destination).means },
            {
              term: "Zendesk",
              value: (
                <>
                  {connection.subdomain}.zendesk.com, through{" "}
                  <Link href={`/connections/${connection.id}`}>{connection.name}</Link>
                </>
              ),
            },
            {
              term: "Sources",
              value:
                sources.length === 0 ? (
                  <Unknown reason="It takes events of no source yet; choose some in the settings" />
                ) : (
                  sources.map(({ name }) => name).join(", ")
                ),
            },
            { term: "Profile", value: profileNames[destination.profile] },
            {
              term: "Tested",
              value: testedAt ? <RelativeTime at={testedAt} /> : <Unknown reason="No sample event was sent yet" />,
            },
          ]}
        />
      </Section>
    </div>
  );
}

/** Why nothing can be sent, with the way to mend it at hand. */
function Blocked({ blocked, connectionId }: { blocked: NonNullable<Destination["blocked"]>; connectionId: string }) {
  const { user } = useSession();
  const connection = useQuery(connectionQueries.one(connectionId)).data;
  const way = wayOut(blocked, connectionId);
  const grants = user.role === "admin" && connection && !isWritable(connection);
  return (
    <Notice
      kind={blocked.code === "paused" ? "info" : "failure"}
      title={<TextWithTimes text={blocked.reason} />}
      actions={way ? <Link href={way.href}>{way.label}</Link> : grants && <WriteGrant connection={connection} />}
    >
      <TextWithTimes text={blocked.fix} />
    </Notice>
  );
}
