import type { Status } from "#app/_ui/status.ts";
import type { Webhook } from "#lib/webhooks/shapes.ts";

export const webhookStates: Record<Webhook["state"], { status: Status; words: string }> = {
  none: { status: "unknown", words: "none" },
  active: { status: "good", words: "active" },
  failing: { status: "watch", words: "failing" },
  refused: { status: "watch", words: "refused by Zendesk" },
  unreachable: { status: "watch", words: "out of Zendesk’s reach" },
};

export const webhookKinds: Record<NonNullable<Webhook["kind"]>, string> = {
  events: "event subscriptions: tickets, users and organizations",
  trigger: "a trigger: tickets only; the rest comes with the next sync",
  manual: "made by a person in Zendesk",
};
