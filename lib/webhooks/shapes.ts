import { z } from "zod";
import { instant } from "#lib/api/shapes.ts";
import { failure } from "#lib/connections/shapes.ts";

export const webhookStates = ["none", "active", "failing", "refused", "unreachable"] as const;
export const webhookKinds = ["events", "trigger", "manual"] as const;

/** How changes of a connection arrive between its runs. */
export const webhook = z.object({
  state: z.enum(webhookStates),
  /** `events`: Zendesk's event subscriptions; `trigger`: tickets only; `manual`: a person made it in Zendesk. */
  kind: z.enum(webhookKinds).nullable(),
  /** The address that Zendesk calls, also for a webhook made by hand; null where this product has none that Zendesk could reach. */
  endpoint: z.string().nullable(),
  lastDeliveryAt: instant.nullable(),
  checkedAt: instant.nullable(),
  rotatedAt: instant.nullable(),
  /** Tickets, users and organizations that deliveries named and that are not fetched yet. */
  waiting: z.number().int(),
  failure: failure.nullable(),
});
export type Webhook = z.infer<typeof webhook>;

/** The signing secret of a webhook that a person made in Zendesk. */
export const webhookBody = z.strictObject({ signingSecret: z.string().trim().min(16).max(500) });

/** Changes whenever numbers or timelines of the workspace may have changed. */
export const changes = z.object({ version: z.string() });
