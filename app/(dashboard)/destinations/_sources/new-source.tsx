"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { createSource, type SourceCreated, sourceQueries } from "#app/_queries/sources.ts";
import { Button } from "#app/_ui/button.tsx";
import { Dialog } from "#app/_ui/dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { TextField } from "#app/_ui/text-field.tsx";

/** Names a program that will send events; its write key is shown right after. */
export function NewSource({ onCreated }: { onCreated: (source: SourceCreated) => void }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => createSource(name),
    onSuccess: async (source) => {
      await client.invalidateQueries({ queryKey: sourceQueries.all() });
      change(false);
      onCreated(source);
    },
  });
  const change = (next: boolean) => {
    setOpen(next);
    setName("");
    create.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const about = create.error instanceof ApiError ? create.error.about("name") : null;
  return (
    <Dialog
      title="Add a source"
      open={open}
      onOpenChange={change}
      trigger={
        <Button size="sm">
          <Plus aria-hidden />
          Add a source
        </Button>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField
          label="Name"
          hint="The program that sends: “Web app”, “Billing”. Each one gets keys of its own."
          value={name}
          onChange={setName}
          error={about}
          required
        />
        {create.error && !about && <Notice kind="failure" announce title={reasonOf(create.error)} />}
        <div>
          <Button type="submit" variant="primary" busy={create.isPending}>
            Add the source
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
