import type { Event } from "#lib/sources/shapes.ts";

/** "track · Ticket Created". */
export const eventTitle = ({ type, name }: Pick<Event, "type" | "name">) => (name ? `${type} · ${name}` : type);

/** Whom or what an event is about, by the most telling of its ids. */
export const whose = ({ email, userId, groupId, anonymousId }: Event): string | null =>
  [email, userId, groupId, anonymousId].find((id) => id) ?? null;
