"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { connectionQueries } from "#app/_queries/connections.ts";
import { createDestination, destinationQueries } from "#app/_queries/destinations.ts";
import { sourceQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { Gone } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { useGo, useUnsaved } from "#app/(dashboard)/_frame/leave-guard.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { destinationAddress } from "#app/(dashboard)/destinations/addresses.ts";
import { ProfileChoice } from "#app/(dashboard)/destinations/profile-choice.tsx";
import { SettingsFields } from "#app/(dashboard)/destinations/settings-fields.tsx";
import { SourceChoice } from "#app/(dashboard)/destinations/source-choice.tsx";
import { isWritable } from "#app/(dashboard)/destinations/write-grant.tsx";
import { settingsOf } from "#lib/destinations/profiles.ts";
import type { Profile } from "#lib/destinations/shapes.ts";
import { ConnectionChoice } from "./connection-choice.tsx";

const back = { href: "/destinations", label: "Destinations" };
/** What the form begins with. */
const preset = { profile: "customerio" as const, settings: settingsOf("customerio") };

/** Adds a destination: which Zendesk, whose events, how they are taken. It is made switched off. */
export function DestinationWizard() {
  const { user } = useSession();
  const router = useRouter();
  const go = useGo();
  const client = useQueryClient();
  const connections = useQuery(connectionQueries.list());
  const [wanted, setWanted] = useState<string | null>(null);
  const [name, setName] = useState("");
  const [sourceIds, setSourceIds] = useState<string[]>([]);
  const [profile, setProfile] = useState<Profile>(preset.profile);
  const [settings, setSettings] = useState(preset.settings);
  const writable = connections.data?.items.filter(isWritable) ?? [];
  // The only one there is needs no choosing.
  const connectionId = wanted ?? (writable.length === 1 ? (writable[0]?.id ?? null) : null);
  const create = useMutation({
    mutationFn: (id: string) =>
      createDestination({
        connectionId: id,
        ...(name.trim() ? { name: name.trim() } : {}),
        sourceIds,
        profile,
        settings,
        enabled: false,
      }),
    onSuccess: async ({ id }) => {
      await Promise.all([
        client.invalidateQueries({ queryKey: destinationQueries.all() }),
        client.invalidateQueries({ queryKey: sourceQueries.all() }),
      ]);
      router.push(destinationAddress(id));
    },
  });
  const isPreset = JSON.stringify({ profile, settings }) === JSON.stringify(preset);
  const isFilled = wanted !== null || name.trim() !== "" || sourceIds.length > 0 || !isPreset;
  useUnsaved(isFilled && !create.isSuccess);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (connectionId) create.mutate(connectionId);
  };
  if (user.role !== "admin") {
    return (
      <Screen title="Add a destination" back={back}>
        <Gone title="Administrators add destinations" action={<Link href="/destinations">All destinations</Link>} />
      </Screen>
    );
  }
  const error = create.error instanceof ApiError ? create.error : null;
  return (
    <Screen title="Add a destination" back={back}>
      <form onSubmit={submit} className="flex max-w-3xl flex-col gap-8">
        <Section title="Which Zendesk" description="Writing is a grant of its own, apart from reading.">
          <ConnectionChoice connections={connections} value={connectionId} onChange={setWanted} />
          <div className="mt-4 max-w-96">
            <TextField
              label="Name here"
              hint="Optional; the connection’s otherwise."
              value={name}
              onChange={setName}
              error={error?.about("name")}
            />
          </div>
        </Section>
        <Section title="Whose events" description="Now or later.">
          <SourceChoice connectionId={connectionId} chosen={sourceIds} onChange={setSourceIds} />
        </Section>
        <Section title="Profile" description="What your events were made for; each setting can be changed below.">
          <ProfileChoice
            value={profile}
            onChange={(next) => {
              setProfile(next);
              setSettings(settingsOf(next));
            }}
          />
        </Section>
        <Section title="Settings">
          <SettingsFields profile={profile} settings={settings} onChange={setSettings} />
        </Section>
        {create.error && (
          <Notice kind="failure" announce title={reasonOf(create.error)}>
            {error?.details.map(({ path, message }) => (
              <p key={path}>{message}</p>
            ))}
          </Notice>
        )}
        <div className="flex flex-wrap items-center gap-2">
          <Button type="submit" variant="primary" busy={create.isPending} disabled={connectionId === null}>
            Add it, switched off
          </Button>
          <Button type="button" onClick={() => go("/destinations")}>
            Cancel
          </Button>
          <p className="min-w-0 flex-1 basis-60 text-table text-muted">
            Nothing is written yet: a sample event, a dry run and the switch come next.
          </p>
        </div>
      </form>
    </Screen>
  );
}
