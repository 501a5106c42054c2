import { apiPath } from "#app/_queries/client.ts";
import type { ShownState } from "#app/(dashboard)/destinations/destination-words.ts";
import type { CommandKind, Destination } from "#lib/destinations/shapes.ts";

/** Addresses of the screens, with what they are to show. */
export const destinationAddress = (id: string, tab?: "actions" | "deliveries" | "settings" | "write-back") =>
  apiPath(`/destinations/${id}`, { tab });
export const deliveriesAddress = (wanted: {
  destination?: string;
  state?: ShownState;
  action?: CommandKind;
  message?: string;
  delivery?: string;
}) => apiPath("/destinations/deliveries", wanted);
/** Where what blocks a destination is ended, apart from what its own screen offers; null where it is on that. */
export function wayOut({ code }: NonNullable<Destination["blocked"]>, connectionId: string) {
  if (code === "read_only") return null;
  const href = `/connections/${connectionId}`;
  return code === "disconnected"
    ? { href: `${href}?tab=settings#login`, label: "Reconnect" }
    : { href, label: "Open the connection" };
}
export const eventsAddress = (wanted: { source?: string; state?: "accepted" | "rejected"; event?: string }) =>
  apiPath("/destinations/events", wanted);
