import type { OrganizationInput } from "./organizations.ts";
import type { Change } from "./rows.ts";
import type { UserInput } from "./users.ts";

export type EventSubject = "ticket" | "user" | "organization";

/** One event of one change, below `zen:event-type:`. */
export interface EventPart {
  type: string;
  /** `event` of the envelope. */
  event: Record<string, unknown>;
}

const ofTicketField: Record<string, string> = {
  status: "status_changed",
  custom_status_id: "custom_status_changed",
  priority: "priority_changed",
  subject: "subject_changed",
  type: "type_changed",
  tags: "tags_changed",
  external_id: "external_id_changed",
  organization_id: "organization_changed",
  requester_id: "requester_changed",
  assignee_id: "agent_assignment_changed",
  group_id: "group_assignment_changed",
};

/** The events of one ticket update. Ratings have none that anybody documents. */
export function ticketEvents(changes: readonly Change[], comment: boolean): EventPart[] {
  const parts = changes.flatMap(({ field, value, previous }) => {
    const name = /^\d+$/.test(field) ? "custom_field_changed" : ofTicketField[field];
    return name === undefined ? [] : [{ type: `ticket.${name}`, event: { current: value, previous } }];
  });
  if (comment) parts.push({ type: "ticket.comment_added", event: { current: null, previous: null } });
  return parts;
}

const ofUserField = {
  name: "name_changed",
  role: "role_changed",
  suspended: "suspended_changed",
  externalId: "external_id_changed",
  tags: "tags_changed",
  fields: "custom_field_changed",
  email: "identity_changed",
  organizationId: "organization_membership_created",
} satisfies Partial<Record<keyof UserInput, string>>;

export function userEvents(changes: Partial<UserInput>): EventPart[] {
  return named("user", ofUserField, changes);
}

const ofOrganizationField = {
  name: "name_changed",
  externalId: "external_id_changed",
  tags: "tags_changed",
  fields: "custom_field_changed",
} satisfies Partial<Record<keyof OrganizationInput, string>>;

/** Domain names and merges have no event. */
export function organizationEvents(changes: Partial<OrganizationInput>): EventPart[] {
  return named("organization", ofOrganizationField, changes);
}

export function plainEvent(type: string): EventPart[] {
  return [{ type, event: {} }];
}

function named(subject: EventSubject, names: Record<string, string>, changes: object): EventPart[] {
  return Object.keys(changes).flatMap((field) => {
    const name = names[field];
    return name === undefined ? [] : [{ type: `${subject}.${name}`, event: {} }];
  });
}
