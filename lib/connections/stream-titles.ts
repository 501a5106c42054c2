import type { StreamName } from "#lib/connections/shapes.ts";

/** What people call the streams. */
export const streamTitles: Record<StreamName, string> = {
  tickets: "Tickets",
  ticket_events: "Ticket events",
  users: "Users",
  organizations: "Organizations",
  groups: "Groups",
  satisfaction_ratings: "Satisfaction ratings",
  fields: "Fields",
};

export const titleOf = (stream: string): string => streamTitles[stream as StreamName] ?? stream;
