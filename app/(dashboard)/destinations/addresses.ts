import { apiPath } from "#app/_queries/client.ts";
import type { DeliveryState } from "#lib/destinations/shapes.ts";

/** Addresses of the screens, with what they are to show. */
export const destinationAddress = (id: string, tab?: "actions" | "deliveries" | "settings" | "write-back") =>
  apiPath(`/destinations/${id}`, { tab });
export const deliveriesAddress = (wanted: {
  destination?: string;
  state?: DeliveryState;
  message?: string;
  delivery?: string;
}) => apiPath("/destinations/deliveries", wanted);
export const eventsAddress = (wanted: { source?: string; state?: "accepted" | "rejected"; event?: string }) =>
  apiPath("/destinations/events", wanted);
