import { isEmail } from "#lib/destinations/procedures/field-values.ts";
import type { Event } from "#lib/sources/shapes.ts";

/** "track · Ticket Created". */
export const eventTitle = ({ type, name }: Pick<Event, "type" | "name">) => (name ? `${type} · ${name}` : type);

/** Whom or what an event is about, by the most telling of its ids; an address that is none is the least telling. */
export const whose = ({ email, userId, groupId, anonymousId }: Event): string | null =>
  [isEmail(email) && email, userId, groupId, anonymousId, email].find((id) => id) || null;
