"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import {
  type DestinationPatch,
  deleteDestination,
  destinationQueries,
  patchDestination,
} from "#app/_queries/destinations.ts";
import { sourceQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { ProfileChoice } from "#app/(dashboard)/destinations/profile-choice.tsx";
import { SettingsFields } from "#app/(dashboard)/destinations/settings-fields.tsx";
import { SourceChoice } from "#app/(dashboard)/destinations/source-choice.tsx";
import { settingsOf } from "#lib/destinations/profiles.ts";
import type { Destination } from "#lib/destinations/shapes.ts";

/** Name, sources, profile and settings; switching off, and the way out. */
export function DestinationSettings({ destination }: { destination: Destination }) {
  const { user } = useSession();
  const editable = user.role === "admin";
  const client = useQueryClient();
  const [name, setName] = useState(destination.name);
  const [sourceIds, setSourceIds] = useState(destination.sourceIds);
  const [profile, setProfile] = useState(destination.profile);
  const [settings, setSettings] = useState(destination.settings);
  const patch = useMutation({
    mutationFn: (change: DestinationPatch) => patchDestination(destination.id, change),
    onSuccess: () => toast.success("Saved."),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: destinationQueries.all() }),
        client.invalidateQueries({ queryKey: sourceQueries.all() }),
      ]),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    patch.mutate({ name, sourceIds, profile, settings });
  };
  const error = patch.error instanceof ApiError ? patch.error : null;
  return (
    <div className="flex max-w-3xl flex-col gap-8">
      <form onSubmit={submit} className="flex flex-col gap-8">
        <Section title="Name">
          <div className="max-w-96">
            <TextField
              label="Name"
              labelHidden
              value={name}
              onChange={setName}
              error={error?.about("name")}
              required
              disabled={!editable}
            />
          </div>
        </Section>
        <Section title="Whose events">
          <SourceChoice
            connectionId={destination.connectionId}
            destinationId={destination.id}
            chosen={sourceIds}
            onChange={setSourceIds}
            disabled={!editable}
          />
        </Section>
        <Section title="Profile" description="Choosing one sets all settings below anew.">
          <ProfileChoice
            value={profile}
            disabled={!editable}
            onChange={(next) => {
              setProfile(next);
              setSettings(settingsOf(next));
            }}
          />
        </Section>
        <Section title="Settings">
          <SettingsFields profile={profile} settings={settings} onChange={setSettings} disabled={!editable} />
        </Section>
        {patch.error && (
          <Notice kind="failure" announce title={reasonOf(patch.error)}>
            {error?.details.map(({ path, message }) => (
              <p key={path}>{message}</p>
            ))}
          </Notice>
        )}
        {editable ? (
          <div>
            <Button type="submit" variant="primary" busy={patch.isPending}>
              Save
            </Button>
          </div>
        ) : (
          <p className="text-table text-muted">Administrators change the settings of a destination.</p>
        )}
      </form>
      {editable && <Leave destination={destination} />}
    </div>
  );
}

function Leave({ destination }: { destination: Destination }) {
  const client = useQueryClient();
  const router = useRouter();
  const refresh = () => client.invalidateQueries({ queryKey: destinationQueries.all() });
  return (
    <Section title="Leave">
      <div className="flex flex-wrap gap-2">
        <ConfirmDialog
          trigger={<Button disabled={!destination.enabled}>Switch off</Button>}
          title={`Switch ${destination.name} off?`}
          confirmLabel="Switch off"
          onConfirm={async () => {
            await patchDestination(destination.id, { enabled: false });
            await refresh();
          }}
        >
          It takes no events any more: those that come meanwhile are not written later. To keep them, stop it instead.
        </ConfirmDialog>
        <ConfirmDialog
          trigger={<Button variant="danger">Delete</Button>}
          title={`Delete ${destination.name}?`}
          confirmLabel="Delete"
          danger
          typeToConfirm={destination.name}
          onConfirm={async () => {
            await deleteDestination(destination.id);
            router.push("/destinations");
            await refresh();
          }}
        >
          What was not sent yet is listed as failed. What was written stays in Zendesk.
        </ConfirmDialog>
      </div>
    </Section>
  );
}
