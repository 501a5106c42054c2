import { z } from "zod";
import { id, instant, listOf, listQuery } from "#lib/api/shapes.ts";

/** A Zendesk end user of an account's organizations. */
export const personItem = z.object({
  connectionId: id,
  zendeskUserId: z.string(),
  name: z.string().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  email: z.string().nullable(),
  organizationId: z.string().nullable(),
  active: z.boolean(),
  ticketsTotal: z.number().int(),
  lastTicketAt: instant.nullable(),
  url: z.string(),
});
export type PersonItem = z.infer<typeof personItem>;
export const peopleQuery = listQuery.extend({ q: z.string().max(200).optional() });
export const personList = listOf(personItem);
