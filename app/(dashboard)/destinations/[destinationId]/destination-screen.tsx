"use client";

import { useQuery } from "@tanstack/react-query";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { destinationQueries, type WriteBackRule } from "#app/_queries/destinations.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Gone } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Num } from "#app/_ui/num.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { Tabs } from "#app/_ui/tabs.tsx";
import { useUnsaved } from "#app/(dashboard)/_frame/leave-guard.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { DeliveryLog } from "#app/(dashboard)/destinations/_deliveries/delivery-log.tsx";
import { stateOf } from "#app/(dashboard)/destinations/destination-words.ts";
import { type ActionDraft, bodyOf, isSame } from "./actions/action-draft.ts";
import { Actions } from "./actions/actions.tsx";
import { DestinationSettings, isChanged as isSettingsChanged, type SettingsDraft } from "./destination-settings.tsx";
import { Overview } from "./overview.tsx";
import { Switches } from "./switches.tsx";
import { isChanged as isWriteBackChanged, WriteBackRules } from "./write-back/write-back-rules.tsx";

const tabs = ["overview", "actions", "deliveries", "settings", "write-back"] as const;
const back = { href: "/destinations", label: "Destinations" };

/** One destination: how it stands, what its actions make of events, what was written, its settings, what we write back. */
export function DestinationScreen({ id }: { id: string }) {
  const { user } = useSession();
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(tabs).withDefault("overview"));
  const [draft, setDraft] = useState<readonly ActionDraft[] | null>(null);
  const [settings, setSettings] = useState<SettingsDraft | null>(null);
  const [rules, setRules] = useState<readonly WriteBackRule[] | null>(null);
  const destination = useQuery(destinationQueries.one(id));
  const saved = useQuery({ ...destinationQueries.actions(id), enabled: draft !== null }).data;
  const unsavedActions = draft !== null && saved !== undefined && !isSame(draft.map(bodyOf), saved.map(bodyOf));
  const writeBack = useQuery({ ...destinationQueries.writeBack(id), enabled: rules !== null }).data;
  const unsavedSettings = destination.data !== undefined && isSettingsChanged(settings, destination.data);
  const unsavedRules = writeBack !== undefined && isWriteBackChanged(rules, writeBack.rules);
  useUnsaved(unsavedActions || unsavedSettings || unsavedRules);
  if (destination.error instanceof ApiError && destination.error.status === 404) {
    return (
      <Screen title="Destination" back={back}>
        <Gone title="This destination does not exist" action={<Link href="/destinations">All destinations</Link>} />
      </Screen>
    );
  }
  const loaded = destination.data;
  return (
    <Screen
      title={loaded?.name ?? "Destination"}
      detail={loaded && <StatusDot status={stateOf(loaded).status}>{stateOf(loaded).words}</StatusDot>}
      back={back}
      actions={loaded && <Switches destination={loaded} />}
    >
      <QueryStates query={destination} what="the destination" skeleton={<SkeletonLines lines={10} />}>
        {(value) => (
          <Tabs
            label="About the destination"
            value={user.role === "viewer" && tab === "deliveries" ? "overview" : tab}
            onChange={(next) => void setTab(next as (typeof tabs)[number])}
            tabs={[
              { value: "overview", label: "Overview", content: <Overview destination={value} /> },
              {
                value: "actions",
                label: "Actions",
                count: unsavedActions ? "not saved" : undefined,
                content: <Actions destinationId={id} draft={draft} onDraft={setDraft} />,
              },
              ...(user.role === "viewer"
                ? []
                : [
                    {
                      value: "deliveries",
                      label: "Deliveries",
                      count:
                        value.deliveries.failed > 0 ? <Num value={value.deliveries.failed} unit="failed" /> : undefined,
                      content: (
                        <div className="-mx-4 -mt-4 flex h-[44rem] max-h-[calc(100dvh-6rem)] flex-col">
                          <DeliveryLog destinationId={id} />
                        </div>
                      ),
                    },
                  ]),
              {
                value: "settings",
                label: "Settings",
                count: unsavedSettings ? "not saved" : undefined,
                content: <DestinationSettings destination={value} draft={settings} onDraft={setSettings} />,
              },
              {
                value: "write-back",
                label: "Write-back",
                count: unsavedRules ? "not saved" : undefined,
                content: <WriteBackRules destinationId={id} draft={rules} onDraft={setRules} />,
              },
            ]}
          />
        )}
      </QueryStates>
    </Screen>
  );
}
