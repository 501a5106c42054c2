import { z } from "zod";
import { commaList, id, instant, listOf, listQuery } from "#lib/api/shapes.ts";

export const timelineKinds = [
  "ticket_created",
  "ticket_escalated",
  "ticket_solved",
  "ticket_reopened",
  "rating_bad",
  "customer_event",
] as const;
export const timelineKind = z.enum(timelineKinds);
export type TimelineKind = z.infer<typeof timelineKind>;

/** The seven fields of T-29 and a link to the ticket in Zendesk. */
export const timelineTicket = z.object({
  id: z.string(),
  subject: z.string().nullable(),
  priority: z.string().nullable(),
  reporter: z.string().nullable(),
  reportedAt: instant.nullable(),
  group: z.string().nullable(),
  assignee: z.string().nullable(),
  url: z.string(),
});

/** What a user did elsewhere, kept here where the plan of their Zendesk has no place for it. */
export const timelineEvent = z.object({
  name: z.string(),
  properties: z.record(z.string(), z.unknown()),
  user: z.object({ id: z.string(), name: z.string().nullable(), url: z.string() }),
});

export const timelineEntry = z.object({
  id,
  kind: timelineKind,
  occurredAt: instant,
  /** True where the ticket's own fields gave the moment because its event history does not reach back. */
  derived: z.boolean(),
  /** Priority at that moment; null where it had none or where it is not known. */
  priorityThen: z.string().nullable(),
  /** Null for a customer event, which is about no ticket. */
  ticket: timelineTicket.nullable(),
  event: timelineEvent.optional(),
  rating: z.object({ score: z.string(), comment: z.string().nullable() }).optional(),
});
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const timelineQuery = listQuery.extend({
  /** Without any: all moments of tickets. Customer events, which are about no ticket, are given only where they are named. */
  kinds: commaList(timelineKinds).optional(),
  priority: z.enum(["top", "all"]).default("top"),
  from: instant.optional(),
  to: instant.optional(),
});
export type TimelineQuery = z.infer<typeof timelineQuery>;
export const timelineList = listOf(timelineEntry);

/** The feed beside the portfolio: entries of all accounts, or of those of one owner. */
export const feedQuery = timelineQuery.extend({ ownerEmail: z.string().max(320).optional() });
export type FeedQuery = z.infer<typeof feedQuery>;
export const feedEntry = timelineEntry.extend({ account: z.object({ id, name: z.string() }) });
export type FeedEntry = z.infer<typeof feedEntry>;
export const feedList = listOf(feedEntry);
