import { z } from "zod";
import { id, instant, listOf } from "#lib/api/shapes.ts";

/** A failure that administrators are told of. `clearedAt` null: it goes on. */
export const notice = z.object({
  id,
  connectionId: id,
  connection: z.string(),
  code: z.string(),
  message: z.string(),
  action: z.string(),
  raisedAt: instant,
  clearedAt: instant.nullable(),
  mailedAt: instant.nullable(),
  /** Why the e-mail has not gone out, if it should have. */
  mailFailure: z.string().nullable(),
});
export type Notice = z.infer<typeof notice>;
export const noticeList = listOf(notice);
