"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { adoptWebhook, webhookQuery } from "#app/_queries/webhook.ts";
import { Button } from "#app/_ui/button.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { Dialog } from "#app/_ui/dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";

const events = "Ticket events, user events and organization events (all of each)";

/** For a grant that may not register webhooks: the way through Zendesk's own pages, and the secret that comes of it. */
export function OwnWebhookDialog({ id, endpoint }: { id: string; endpoint: string | null }) {
  const client = useQueryClient();
  const form = useId();
  const [open, setOpen] = useState(false);
  const [secret, setSecret] = useState("");
  const save = useMutation({
    mutationFn: () => adoptWebhook(id, secret.trim()),
    onSuccess: (webhook) => {
      client.setQueryData(webhookQuery(id).queryKey, webhook);
      setOpen(false);
      setSecret("");
      toast.success("Saved: deliveries signed with this secret are taken.");
    },
  });
  const error = save.error instanceof ApiError ? save.error.about("signingSecret") : null;
  return (
    <Dialog
      open={open}
      onOpenChange={setOpen}
      trigger={<Button>Use one made by hand…</Button>}
      title="Use a webhook made by hand"
      description="For a login that may not register one: an administrator makes it in Zendesk."
      actions={
        <>
          <Button onClick={() => setOpen(false)}>Cancel</Button>
          <Button type="submit" form={form} variant="primary" busy={save.isPending} disabled={endpoint === null}>
            Save the secret
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="flex flex-col gap-4 text-table"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        {endpoint === null && (
          <Notice kind="warning" title="This product has no public address">
            Zendesk calls from the internet: set PUBLIC_URL to the https address of this product, then restart it.
          </Notice>
        )}
        <ol className="flex list-decimal flex-col gap-2 ps-5">
          <li>In Zendesk’s Admin Center: Apps and integrations → Webhooks → Create webhook → Zendesk events.</li>
          <li>Choose: {events}.</li>
          <li>
            Endpoint URL, method POST, format JSON, no authentication:
            {endpoint && (
              <span className="flex items-center gap-1">
                <code className="min-w-0 font-mono text-small break-all">{endpoint}</code>
                <CopyButton text={endpoint} label="Copy the endpoint" />
              </span>
            )}
          </li>
          <li>After it is created: reveal the signing secret on its page, and paste it here.</li>
        </ol>
        <TextField
          label="Signing secret"
          type="password"
          value={secret}
          onChange={setSecret}
          error={error ?? undefined}
          required
          minLength={16}
          autoComplete="off"
          spellCheck={false}
        />
        {save.error && !error && <Notice kind="failure" announce title={reasonOf(save.error)} />}
      </form>
    </Dialog>
  );
}
