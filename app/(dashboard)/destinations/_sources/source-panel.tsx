"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { deleteSource, patchSource, type SourceCreated, sourceQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { SidePanel } from "#app/_ui/side-panel.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Source } from "#lib/sources/shapes.ts";
import { Snippets } from "./snippets.tsx";
import { WriteKeys } from "./write-keys.tsx";

type SourcePanelProps = {
  source: Source;
  /** Given right after the source was made: its key is shown this once. */
  created: SourceCreated | null;
  onClose: () => void;
};

/** One source: its keys, how a program uses them, its name, and the way out. */
export function SourcePanel({ source, created, onClose }: SourcePanelProps) {
  const { user } = useSession();
  const [made, setMade] = useState(created);
  const admin = user.role === "admin";
  return (
    <SidePanel open onClose={onClose} title={source.name} description="Source of events">
      <div className="flex flex-col gap-8 px-4 py-4">
        {made && (
          <Notice kind="info" announce title="This is the write key. It is shown this once.">
            <p className="mt-1 flex items-center gap-2">
              <code className="min-w-0 rounded-control bg-canvas px-2 py-1 break-all">{made.writeKey}</code>
              <CopyButton text={made.writeKey} label="Copy the write key" />
            </p>
          </Notice>
        )}
        <Section title="Send events" description="The published packages, as they are; the address is this one.">
          <Snippets writeKey={made?.writeKey ?? "YOUR_WRITE_KEY"} />
        </Section>
        <WriteKeys source={source} editable={admin} onRotated={setMade} />
        {admin && <SourceSettings source={source} onDeleted={onClose} />}
      </div>
    </SidePanel>
  );
}

function SourceSettings({ source, onDeleted }: { source: Source; onDeleted: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState(source.name);
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: sourceQueries.all() }),
      client.invalidateQueries({ queryKey: destinationQueries.all() }),
    ]);
  const patch = useMutation({
    mutationFn: (change: Parameters<typeof patchSource>[1]) => patchSource(source.id, change),
    onSuccess: () => toast.success("Saved."),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: refresh,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    patch.mutate({ name });
  };
  return (
    <Section title="Name and state">
      <form onSubmit={submit} className="flex items-end gap-2">
        <div className="min-w-0 max-w-80 flex-1">
          <TextField
            label="Name"
            value={name}
            onChange={setName}
            error={patch.error instanceof ApiError ? patch.error.about("name") : null}
            required
          />
        </div>
        <Button type="submit" disabled={name.trim() === "" || name === source.name} busy={patch.isPending}>
          Rename
        </Button>
      </form>
      <div className="mt-4 flex flex-wrap items-center gap-2">
        <Button onClick={() => patch.mutate({ enabled: !source.enabled })} busy={patch.isPending}>
          {source.enabled ? "Switch off" : "Switch on"}
        </Button>
        <ConfirmDialog
          trigger={<Button variant="danger">Delete</Button>}
          title={`Delete ${source.name}?`}
          confirmLabel="Delete"
          danger
          onConfirm={async () => {
            await deleteSource(source.id);
            onDeleted();
            await refresh();
          }}
        >
          Its keys are refused from now on. Events that came stay, and what they caused stays in Zendesk.
        </ConfirmDialog>
        <p className="min-w-0 flex-1 basis-60 text-table text-muted">
          {source.enabled ? "While it is off, its keys are refused." : "It is off: its keys are refused."}
        </p>
      </div>
    </Section>
  );
}
