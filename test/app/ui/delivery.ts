import type { Delivery } from "#lib/destinations/shapes.ts";

/** A write that was done, for screens that show one. */
export const delivery: Delivery = {
  id: "1",
  messageId: "m-1",
  destination: { id: "7", name: "Desk" },
  action: "upsert_user",
  state: "done",
  attempts: 1,
  code: null,
  reason: null,
  fix: null,
  notes: [],
  subject: "ann@example.com",
  result: null,
  dueAt: null,
  createdAt: "2026-11-22T08:00:00Z",
  updatedAt: "2026-11-22T08:01:00Z",
};
