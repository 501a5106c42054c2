"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import type { FormEvent } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { deleteDestination, destinationQueries, patchDestination } from "#app/_queries/destinations.ts";
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

/** What an administrator sets of a destination itself. */
export type SettingsDraft = Pick<Destination, "name" | "sourceIds" | "profile" | "settings">;

type DestinationSettingsProps = {
  destination: Destination;
  /** What is not saved yet; null while nothing was changed. Kept by the screen, so that another tab does not lose it. */
  draft: SettingsDraft | null;
  onDraft: (draft: SettingsDraft | null) => void;
};

/** Name, sources, profile and settings; switching off, and the way out. */
export function DestinationSettings({ destination, draft, onDraft }: DestinationSettingsProps) {
  const { user } = useSession();
  const editable = user.role === "admin";
  const client = useQueryClient();
  const shown = draft ?? savedIn(destination);
  const { name, sourceIds, profile, settings } = shown;
  const change = (part: Partial<SettingsDraft>) => onDraft({ ...shown, ...part });
  const changed = isChanged(draft, destination);
  const patch = useMutation({
    mutationFn: () => patchDestination(destination.id, shown),
    onSuccess: async () => {
      toast.success("Saved.");
      await client.invalidateQueries({ queryKey: destinationQueries.all() });
      onDraft(null);
    },
    onSettled: () => client.invalidateQueries({ queryKey: sourceQueries.all() }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    patch.mutate();
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
              onChange={(next) => change({ name: next })}
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
            onChange={(next) => change({ sourceIds: next })}
            disabled={!editable}
          />
        </Section>
        <Section title="Profile" description="Choosing one sets all settings below anew.">
          <ProfileChoice
            value={profile}
            disabled={!editable}
            onChange={(next) => change({ profile: next, settings: settingsOf(next) })}
          />
        </Section>
        <Section title="Settings">
          <SettingsFields
            profile={profile}
            settings={settings}
            onChange={(next) => change({ settings: next })}
            disabled={!editable}
          />
        </Section>
        {patch.error && (
          <Notice kind="failure" announce title={reasonOf(patch.error)}>
            {error?.details.map(({ path, message }) => (
              <p key={path}>{message}</p>
            ))}
          </Notice>
        )}
        {editable ? (
          <div className="flex flex-wrap gap-2">
            <Button type="submit" variant="primary" disabled={!changed} busy={patch.isPending}>
              Save
            </Button>
            <Button variant="ghost" disabled={!changed} onClick={() => onDraft(null)}>
              Undo changes
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

const savedIn = ({ name, sourceIds, profile, settings }: Destination): SettingsDraft => ({
  name,
  sourceIds,
  profile,
  settings,
});

/** Whether the draft says anything else than what is saved. */
export function isChanged(draft: SettingsDraft | null, destination: Destination): boolean {
  if (draft === null) return false;
  const saved = savedIn(destination);
  const isSameChoice =
    draft.sourceIds.length === saved.sourceIds.length && draft.sourceIds.every((id) => saved.sourceIds.includes(id));
  const isSameSettings = settingNames.every((name) => draft.settings[name] === saved.settings[name]);
  return draft.name !== saved.name || draft.profile !== saved.profile || !isSameChoice || !isSameSettings;
}
const settingNames = Object.keys(settingsOf("customerio")) as (keyof Destination["settings"])[];

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
