import type { Procedure } from "#lib/destinations/attempt.ts";
import { createTicket } from "#lib/destinations/procedures/create-ticket.ts";
import { trackEvent } from "#lib/destinations/procedures/track-event.ts";
import { updateMembership } from "#lib/destinations/procedures/update-membership.ts";
import { updateTicket } from "#lib/destinations/procedures/update-ticket.ts";
import { upsertOrganization } from "#lib/destinations/procedures/upsert-organization.ts";
import { upsertUser } from "#lib/destinations/procedures/upsert-user.ts";
import { writeBack } from "#lib/destinations/procedures/write-back.ts";
import type { CommandKind } from "#lib/destinations/shapes.ts";

/** Does one try at a command of each kind. */
export const procedures: Record<CommandKind, Procedure> = {
  upsert_user: upsertUser,
  upsert_organization: upsertOrganization,
  update_membership: updateMembership,
  create_ticket: createTicket,
  update_ticket: updateTicket,
  track_event: trackEvent,
  write_back: writeBack,
};
