/*
 * What our webhook asks to be told of. Zendesk has no event for "anything changed" (zendesk-api section 7.3); a change that has
 * none, such as an organization's domain names, comes with the next run.
 */

const ofTicket = [
  "created",
  "status_changed",
  "custom_status_changed",
  "priority_changed",
  "subject_changed",
  "type_changed",
  "tags_changed",
  "external_id_changed",
  "organization_changed",
  "requester_changed",
  "agent_assignment_changed",
  "group_assignment_changed",
  "custom_field_changed",
  "comment_added",
  "merged",
  "marked_as_spam",
  "soft_deleted",
  "permanently_deleted",
  "undeleted",
];
const ofUser = [
  "created",
  "deleted",
  "merged",
  "active_changed",
  "name_changed",
  "role_changed",
  "suspended_changed",
  "external_id_changed",
  "identity_created",
  "identity_changed",
  "identity_deleted",
  "organization_membership_created",
  "organization_membership_deleted",
];
const ofOrganization = [
  "created",
  "deleted",
  "name_changed",
  "external_id_changed",
  "tags_changed",
  "custom_field_changed",
];

const named = (subject: string, types: readonly string[]) => types.map((type) => `zen:event-type:${subject}.${type}`);

export const eventTypes: readonly string[] = [
  ...named("ticket", ofTicket),
  ...named("user", ofUser),
  ...named("organization", ofOrganization),
];

/** A webhook that triggers call, in place of events. */
export const conditionalEvents = "conditional_ticket_events";
