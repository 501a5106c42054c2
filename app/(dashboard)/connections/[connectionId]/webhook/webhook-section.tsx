"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { checkWebhook, removeWebhook, rotateWebhook, webhookQuery } from "#app/_queries/webhook.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Num } from "#app/_ui/num.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Facts, Section } from "#app/_ui/section.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import type { Webhook } from "#lib/webhooks/shapes.ts";
import { OwnWebhookDialog } from "./own-webhook-dialog.tsx";
import { isReadOnly, webhookKinds, webhookWords } from "./webhook-words.ts";

/** How changes arrive between runs. Without a webhook nothing is lost: it comes with the next sync. */
export function WebhookSection({ connection }: { connection: Connection }) {
  const { user } = useSession();
  const webhook = useQuery(webhookQuery(connection.id));
  const open = connection.state !== "disconnected" && connection.state !== "archived";
  return (
    <Section
      anchor="webhook"
      title="Webhook"
      description={`Changes within seconds${withoutOne(connection)}`}
      actions={
        open && user.role === "admin" && webhook.data && <WebhookButtons id={connection.id} webhook={webhook.data} />
      }
    >
      <QueryStates query={webhook} what="the webhook" skeleton={<SkeletonLines lines={4} />}>
        {(value) => <WebhookFacts webhook={value} />}
      </QueryStates>
    </Section>
  );
}

function withoutOne({ state, syncIntervalMinutes }: Connection): string {
  if (state === "disconnected" || state === "archived") return ` while it is connected. Now it is ${state}: none come.`;
  if (state === "paused") return "; while it is paused none are read, and all are when it is resumed.";
  return `; without one they come with the next sync, every ${syncIntervalMinutes} minutes.`;
}

function WebhookFacts({ webhook }: { webhook: Webhook }) {
  const { state, kind, endpoint, lastDeliveryAt, checkedAt, rotatedAt, waiting, failure } = webhook;
  const { status, words } = webhookWords(webhook);
  const time = (at: string | null, reason: string) => (at ? <RelativeTime at={at} /> : <Unknown reason={reason} />);
  return (
    <div className="flex flex-col gap-3">
      {failure && (
        <Notice kind={state === "failing" ? "warning" : "info"} title={<TextWithTimes text={failure.message} />}>
          Since <RelativeTime at={failure.since} />. <TextWithTimes text={failure.action} />
        </Notice>
      )}
      <Facts
        facts={[
          { term: "State", value: <StatusDot status={status}>{words}</StatusDot> },
          ...(kind ? [{ term: "Kind", value: webhookKinds[kind] }] : []),
          {
            term: "Endpoint",
            value: endpoint ? (
              <span className="flex items-center gap-1">
                <code className="min-w-0 font-mono text-small break-all">{endpoint}</code>
                <CopyButton text={endpoint} label="Copy the endpoint" />
              </span>
            ) : (
              <Unknown reason="This product has no public address that Zendesk could call: set PUBLIC_URL" />
            ),
          },
          { term: "Last delivery", value: time(lastDeliveryAt, "Nothing was delivered yet") },
          {
            term: "Waiting",
            value: (
              <>
                <Num value={waiting} /> named by deliveries and not fetched yet
              </>
            ),
          },
          { term: "Checked", value: time(checkedAt, "Whether it stands in Zendesk was not checked yet") },
          ...(rotatedAt ? [{ term: "Secret since", value: <RelativeTime at={rotatedAt} /> }] : []),
        ]}
      />
    </div>
  );
}

function WebhookButtons({ id, webhook }: { id: string; webhook: Webhook }) {
  const client = useQueryClient();
  const key = webhookQuery(id).queryKey;
  const refresh = () => client.invalidateQueries({ queryKey: key });
  const check = useMutation({
    mutationFn: () => checkWebhook(id),
    onSuccess: (found) => {
      client.setQueryData(key, found);
      const { words } = webhookWords(found);
      (found.state === "active" ? toast.success : toast.info)(`The webhook: ${words}.`);
    },
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: refresh,
  });
  const none = webhook.kind === null;
  return (
    <>
      {!isReadOnly(webhook) && (
        <Button busy={check.isPending} onClick={() => check.mutate()}>
          {none ? "Register in Zendesk" : "Check now"}
        </Button>
      )}
      {!none && webhook.kind !== "manual" && (
        <ConfirmDialog
          trigger={<Button>Renew the secret…</Button>}
          title="Renew the signing secret?"
          confirmLabel="Renew"
          onConfirm={async () => {
            client.setQueryData(key, await rotateWebhook(id));
            toast.success("The secret is renewed.");
          }}
        >
          Zendesk signs with a new one from now on. Deliveries signed with the old one are taken for a day.
        </ConfirmDialog>
      )}
      <OwnWebhookDialog id={id} endpoint={webhook.endpoint} />
      {!none && (
        <ConfirmDialog
          trigger={<Button>Remove…</Button>}
          title="Remove the webhook?"
          confirmLabel="Remove"
          danger
          onConfirm={async () => {
            await removeWebhook(id);
            await refresh();
          }}
        >
          {webhook.kind === "manual"
            ? "No more deliveries are taken. Yours stays in Zendesk until you delete it there."
            : "It is deleted in Zendesk and no more deliveries are taken."}{" "}
          Changes come with the next sync; nothing is lost.
        </ConfirmDialog>
      )}
    </>
  );
}
