import { z } from "zod";
import { day, instant, listOf, listQuery } from "#lib/api/shapes.ts";
import { metricKey } from "#lib/metrics/shapes.ts";

/** A ticket as the lists behind a number show it; `id` is the Zendesk id. */
export const ticketItem = z.object({
  id: z.string(),
  connectionId: z.string(),
  subject: z.string().nullable(),
  status: z.string().nullable(),
  priority: z.string().nullable(),
  createdAt: instant.nullable(),
  updatedAt: instant.nullable(),
  solvedAt: instant.nullable(),
  organizationId: z.string().nullable(),
  reporter: z.string().nullable(),
  group: z.string().nullable(),
  assignee: z.string().nullable(),
  rating: z.object({ score: z.string(), comment: z.string().nullable(), at: instant.nullable() }).nullable(),
  merged: z.boolean(),
  url: z.string(),
});
export type TicketItem = z.infer<typeof ticketItem>;

export const accountTicketsQuery = listQuery.extend({
  metric: metricKey.optional(),
  windowDays: z.coerce.number().int().optional(),
  asOf: day.optional(),
  format: z.enum(["json", "csv"]).default("json"),
});
export type AccountTicketsQuery = z.infer<typeof accountTicketsQuery>;
/** `total` is the number that the list explains. */
export const ticketList = listOf(ticketItem).extend({ total: z.number().int() });
