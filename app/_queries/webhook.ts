import { queryOptions } from "@tanstack/react-query";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import { connectionPath, connectionQueries } from "#app/_queries/connections.ts";
import type { Webhook } from "#lib/webhooks/shapes.ts";

const of = (id: string) => `${connectionPath(id)}/webhook`;
const LOOK_AGAIN_MS = 10_000;

/** How changes of a connection arrive between its runs. */
export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: [...connectionQueries.all(), id, "webhook"],
    queryFn: ({ signal }) => apiGet<Webhook>(of(id), {}, signal),
    refetchInterval: LOOK_AGAIN_MS,
  });

/** Registers the webhook in Zendesk, or checks that it stands there as it should. */
export const checkWebhook = (id: string) => apiSend<Webhook>("POST", `${of(id)}/check`);
export const rotateWebhook = (id: string) => apiSend<Webhook>("POST", `${of(id)}/rotate`);
export const removeWebhook = (id: string) => apiSend("DELETE", of(id));
/** Takes deliveries of a webhook that a person made in Zendesk. */
export const adoptWebhook = (id: string, signingSecret: string) => apiSend<Webhook>("PUT", of(id), { signingSecret });
