"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type ApiKeyCreated, createApiKey, revokeApiKey, workspaceQueries } from "#app/_queries/workspace.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { Dialog } from "#app/_ui/dialog.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Select } from "#app/_ui/select.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import type { Role } from "#lib/auth/shapes.ts";
import { roleOptions } from "./role-options.ts";

/** Keys of programs. Only a hash is kept, so a key is shown once. */
export function ApiKeys() {
  const client = useQueryClient();
  const keys = useQuery(workspaceQueries.apiKeys());
  const refresh = () => client.invalidateQueries({ queryKey: ["api-keys"] });
  return (
    <div className="max-w-4xl">
      <Section
        title="API keys"
        description={
          <>
            For other programs: <Link href="/api/v1/openapi.json">the API’s description</Link>.
          </>
        }
        actions={<MakeKey />}
      >
        <QueryStates
          query={keys}
          what="the keys"
          skeleton={<SkeletonLines lines={3} />}
          isEmpty={({ items }) => items.length === 0}
          empty={<Empty kind="none" title="No API key yet" />}
        >
          {({ items }) => (
            <ul className="-mt-3 divide-y divide-line border-b border-line">
              {items.map((key) => (
                <li key={key.id} className="flex flex-wrap items-center gap-x-4 py-2">
                  <div className="min-w-0 flex-1">
                    <p className="truncate font-medium">{key.name}</p>
                    <p className="text-table text-muted">
                      {key.hint}… · {roleOptions.find(({ value }) => value === key.role)?.label} ·{" "}
                      {key.lastUsedAt ? (
                        <>
                          used <RelativeTime at={key.lastUsedAt} />
                        </>
                      ) : (
                        "never used"
                      )}
                    </p>
                  </div>
                  <ConfirmDialog
                    trigger={<Button size="sm">Revoke</Button>}
                    title={`Revoke ${key.name}?`}
                    confirmLabel="Revoke"
                    danger
                    onConfirm={async () => {
                      await revokeApiKey(key.id);
                      await refresh();
                    }}
                  >
                    Programs that use it are refused from now on. This cannot be undone.
                  </ConfirmDialog>
                </li>
              ))}
            </ul>
          )}
        </QueryStates>
      </Section>
    </div>
  );
}

function MakeKey() {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [made, setMade] = useState<ApiKeyCreated | null>(null);
  const make = useMutation({
    mutationFn: () => createApiKey({ name, role }),
    onSuccess: async (key) => {
      setMade(key);
      await client.invalidateQueries({ queryKey: ["api-keys"] });
    },
  });
  const change = (next: boolean) => {
    setOpen(next);
    if (next) return;
    setMade(null);
    setName("");
    make.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="Make an API key" open={open} onOpenChange={change} trigger={<Button size="sm">Make a key</Button>}>
      {made ? (
        <div className="flex flex-col gap-3">
          <p>This is the key. It is shown this once.</p>
          <p className="flex items-center gap-2">
            <code className="min-w-0 rounded-control bg-sunken px-2 py-1 break-all">{made.key}</code>
            <CopyButton text={made.key} label="Copy the key" />
          </p>
          <div>
            <Button onClick={() => change(false)}>Done</Button>
          </div>
        </div>
      ) : (
        <form onSubmit={submit} className="flex flex-col gap-4">
          <TextField label="Name" hint="Which program uses it." value={name} onChange={setName} required />
          <Select label="Role" value={role} onChange={(next) => setRole(next as Role)} options={roleOptions} />
          {make.error && <Notice kind="failure" announce title={reasonOf(make.error)} />}
          <div>
            <Button type="submit" variant="primary" busy={make.isPending}>
              Make the key
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
