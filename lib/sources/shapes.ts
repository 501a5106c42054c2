import { z } from "zod";
import { id, instant, listOf, listQuery } from "#lib/api/shapes.ts";

export const eventTypes = ["identify", "track", "group", "page", "screen", "alias"] as const;
export const eventType = z.enum(eventTypes);
export type EventType = z.infer<typeof eventType>;

/** A key as it is shown later: its last characters, never itself. `endsAt`: replaced, and takes events until then. */
const writeKey = z.object({
  id,
  hint: z.string(),
  createdAt: instant,
  endsAt: instant.nullable(),
  lastUsedAt: instant.nullable(),
});

export const source = z.object({
  id,
  name: z.string(),
  enabled: z.boolean(),
  keys: z.array(writeKey),
  /** Events of the last 24 hours: accepted, and refused with a reason. */
  eventsLastDay: z.number().int(),
  rejectedLastDay: z.number().int(),
  lastEventAt: instant.nullable(),
  /** Destinations that take its events. */
  destinations: z.array(z.object({ id, name: z.string() })),
  createdAt: instant,
});
export type Source = z.infer<typeof source>;
export const sourceList = listOf(
  source.extend({
    /** Why the destination that the query names cannot take its events (C-3), in a sentence; null where it can. */
    ineligible: z.string().nullable(),
  }),
);
/** `connectionId`: the Zendesk that they would be written to; `destinationId`: by which destination, once it is made. */
export const sourcesQuery = listQuery.extend({ connectionId: id.optional(), destinationId: id.optional() });

const name = z.string().trim().min(1, "must not be empty").max(200);
export const sourceBody = z.strictObject({ name });
export const sourcePatch = z.strictObject({ name: name.optional(), enabled: z.boolean().optional() });
/** `keepMinutes`: how long the key that is replaced goes on working, so that programs can change over. */
export const rotateBody = z.strictObject({ keepMinutes: z.number().int().min(0).max(10_080).default(0) });
/** `writeKey` is shown this once. */
export const sourceCreated = source.extend({ writeKey: z.string() });

export const eventsQuery = listQuery.extend({
  sourceId: id.optional(),
  type: eventType.optional(),
  state: z.enum(["accepted", "rejected"]).optional(),
  messageId: z.string().max(512).optional(),
  /** A user id, an anonymous id, a group id, a message id, an e-mail or the name of an event: the whole of it. */
  q: z.string().max(512).optional(),
});
export const event = z.object({
  id,
  messageId: z.string(),
  type: z.string(),
  /** Of a track event, page or screen. */
  name: z.string().nullable(),
  userId: z.string().nullable(),
  anonymousId: z.string().nullable(),
  groupId: z.string().nullable(),
  email: z.string().nullable(),
  source: z.object({ id, name: z.string() }),
  /** When it happened, by the sender; `receivedAt` by us. */
  occurredAt: instant,
  receivedAt: instant,
  rejection: z.string().nullable(),
  deliveries: z.array(z.object({ id, action: z.string(), state: z.string() })),
});
export type Event = z.infer<typeof event>;
export const eventList = listOf(event);
/** `payload`: the event as it came. */
export const eventDetail = event.extend({ payload: z.unknown() });
