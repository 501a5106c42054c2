"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useState } from "react";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { type SourceCreated, sourceQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { NewSource } from "./_sources/new-source.tsx";
import { SourcePanel } from "./_sources/source-panel.tsx";
import { SourceRow } from "./_sources/source-row.tsx";
import { AreaLinks } from "./area-links.tsx";
import { DestinationRow } from "./destination-row.tsx";

/** What goes out: the Zendesks that are written to, and the programs whose events make it so. */
export function Destinations() {
  const { user } = useSession();
  const admin = user.role === "admin";
  const [open, setOpen] = useQueryState("source", parseAsString);
  const [created, setCreated] = useState<SourceCreated | null>(null);
  const destinations = useQuery(destinationQueries.list());
  const sources = useQuery(sourceQueries.list());
  const opened = sources.data?.items.find(({ id }) => id === open) ?? null;

  const add = admin && (
    <Button asChild variant="primary">
      <Link quiet href="/destinations/new" className="hover:no-underline">
        <Plus aria-hidden />
        Add a destination
      </Link>
    </Button>
  );
  const newSource = admin && (
    <NewSource
      onCreated={(source) => {
        setCreated(source);
        void setOpen(source.id);
      }}
    />
  );
  return (
    <Screen title="Destinations" layout="fill" actions={add}>
      <AreaLinks />
      <div className="min-h-0 flex-1 overflow-y-auto px-4 py-4">
        <div className="flex max-w-6xl flex-col gap-8">
          <Section title="Destinations" description="Zendesks that events are written to.">
            <QueryStates
              query={destinations}
              what="the destinations"
              skeleton={<SkeletonLines lines={4} />}
              isEmpty={({ items }) => items.length === 0}
              empty={
                <Empty kind="never-connected" title="Nothing is written to Zendesk" action={add}>
                  {admin
                    ? "A destination takes events of your product and writes people, organizations and tickets. It starts switched off."
                    : "An administrator can add a destination."}
                </Empty>
              }
            >
              {({ items }) => (
                <ul aria-label="Destinations" className="-mt-3 divide-y divide-line border-b border-line">
                  {items.map((destination) => (
                    <DestinationRow key={destination.id} destination={destination} />
                  ))}
                </ul>
              )}
            </QueryStates>
          </Section>
          <Section
            title="Sources"
            description="Programs that send events, each with its write keys."
            actions={newSource}
          >
            <QueryStates
              query={sources}
              what="the sources"
              skeleton={<SkeletonLines lines={4} />}
              isEmpty={({ items }) => items.length === 0}
              empty={
                <Empty kind="never-connected" title="No program sends events yet">
                  {admin
                    ? "Add a source to get a write key; the SDKs of Segment, RudderStack and Customer.io work with it as they are."
                    : "An administrator can add a source."}
                </Empty>
              }
            >
              {({ items }) => (
                <ul aria-label="Sources" className="-mt-3 divide-y divide-line border-b border-line">
                  {items.map((source) => (
                    <SourceRow key={source.id} source={source} />
                  ))}
                </ul>
              )}
            </QueryStates>
          </Section>
        </div>
      </div>
      {opened && (
        <SourcePanel
          key={opened.id}
          source={opened}
          created={created?.id === opened.id ? created : null}
          onClose={() => {
            setCreated(null);
            void setOpen(null);
          }}
        />
      )}
    </Screen>
  );
}
