import type { Status } from "#app/_ui/status.ts";
import type { Webhook } from "#lib/webhooks/shapes.ts";

type Words = { status: Status; words: string };

const states: Record<Webhook["state"], Words> = {
  none: { status: "unknown", words: "none" },
  active: { status: "good", words: "active" },
  failing: { status: "watch", words: "failing" },
  refused: { status: "watch", words: "refused by Zendesk" },
  unreachable: { status: "watch", words: "out of Zendesk’s reach" },
};

/** Zendesk was asked for none, since the connection may only read. One that was made before is another matter. */
export const isReadOnly = ({ failure, kind }: Webhook): boolean => kind === null && failure?.code === "read_only";

export const webhookWords = (webhook: Webhook): Words =>
  isReadOnly(webhook) ? { status: "unknown", words: "none: the connection only reads" } : states[webhook.state];

export const webhookKinds: Record<NonNullable<Webhook["kind"]>, string> = {
  events: "event subscriptions: tickets, users and organizations",
  trigger: "a trigger: tickets only; the rest comes with the next sync",
  manual: "made by a person in Zendesk",
};
