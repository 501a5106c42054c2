import type { FieldSubject } from "#lib/connections/shapes.ts";
import type { ActionKey, Condition, MappingRule, Profile } from "#lib/destinations/shapes.ts";

/**
 * What a field takes: `text` (numbers and booleans become text), `id` (the same, without numbers that JSON has rounded), `list`
 * (of texts; one text is a list of one), `tags` (the same, a text split at commas and blanks), `domains` (a list of them), `zone`
 * (a time zone), `word` (one of a few that Zendesk knows, in lower case), `flag` (true or false), `record` (an object), `any`.
 */
export type FieldKind = "text" | "id" | "list" | "tags" | "domains" | "zone" | "word" | "flag" | "record" | "any";

export interface FieldDefinition {
  to: string;
  kind: FieldKind;
  what: string;
  /** A field that it belongs with: where an event has several values of that one, it is read beside the one that is taken. */
  beside?: string;
}

export interface ActionDefinition {
  name: string;
  description: string;
  /** Fields of Zendesk's that it can fill. */
  fields: readonly FieldDefinition[];
  /** Custom fields: `<record>.<key>`, or the whole record from an object of the event. */
  records: readonly string[];
  /** Parts of the event whose rest, that no rule names, are candidates for custom fields; `except` is never one. */
  candidates: { from: readonly string[]; except: readonly string[] };
  defaults: Record<Profile, { trigger: Condition; mapping: MappingRule[] }>;
}

/** Whose custom fields a record holds. */
export const subjectsOfRecords: Readonly<Record<string, FieldSubject>> = {
  user_fields: "user",
  organization_fields: "organization",
  custom_fields: "ticket",
};

const text = (to: string, what: string): FieldDefinition => ({ to, kind: "text", what });
const id = (to: string, what: string): FieldDefinition => ({ to, kind: "id", what });
const word = (to: string, what: string): FieldDefinition => ({ to, kind: "word", what });
const rule = (to: string, from: string, more: Partial<MappingRule> = {}): MappingRule => ({ to, from, ...more });
const isType = (type: string): Condition => ({ field: "type", operator: "equals", value: type });
const isEvent = (name: string): Condition => ({ field: "event", operator: "equals", value: name });
const isNotEvent = (name: string): Condition => ({ field: "event", operator: "not_equals", value: name });
const same = <T>(both: T): Record<Profile, T> => ({ customerio: both, rudderstack: both });

const userFields = (prefix: "" | "user."): FieldDefinition[] => [
  id(`${prefix}id`, "The user's id in Zendesk, where it is known: nothing else is looked up"),
  text(`${prefix}email`, "E-mail"),
  text(`${prefix}name`, "Name"),
  id(`${prefix}external_id`, "Your own id of the user"),
  { to: `${prefix}time_zone`, kind: "zone", what: "Time zone, as Europe/Berlin" },
  text(`${prefix}phone`, "Phone"),
];

/** `traits` name the user of an identify. RudderStack's browser SDK sends them in `context.traits`. */
const identified = (trait: string, profile: Profile) =>
  profile === "customerio" ? `$.traits.${trait}` : `$.traits.${trait} | $.context.traits.${trait}`;
/** C-14: a name may come in its two parts. */
const joinedName = (...places: string[]) => {
  const part = (snake: string, camel: string) =>
    `{{ ${places.flatMap((place) => [`${place}.${snake}`, `${place}.${camel}`]).join(" | default: ")} }}`;
  return `${part("first_name", "firstName")} ${part("last_name", "lastName")}`;
};
const zendeskUserId = "$.context.zendesk_user_id";

const upsertUser = (profile: Profile) => ({
  trigger: { all: [isType("identify")] },
  mapping: [
    rule("id", zendeskUserId),
    rule("email", identified("email", profile)),
    rule("name", identified("name", profile), {
      template: profile === "customerio" ? joinedName("traits") : joinedName("traits", "context.traits"),
    }),
    rule("external_id", "$.userId"),
    rule("organization_id", identified("organizationId", profile)),
    rule("time_zone", identified("timezone", profile)),
    rule("phone", identified("phone", profile)),
  ],
});

const updateMembership = (profile: Profile) => ({
  trigger: {
    all: [isType("identify"), { field: identified("company.id", profile), operator: "exists" }] satisfies Condition[],
  },
  mapping: [
    rule("user.id", zendeskUserId),
    rule("user.email", identified("email", profile)),
    rule("user.external_id", "$.userId"),
    rule("organization_id", identified("company.id", profile)),
    rule("remove", identified("company.remove", profile)),
  ],
});

/** Who did it: a Zendesk id counts before all, then the e-mail of the call, then that of the identified user (C-29 … C-33). */
const userOfTrack = (prefix: "user" | "requester"): MappingRule[] => [
  rule(`${prefix}.id`, zendeskUserId),
  rule(`${prefix}.email`, "$.properties.email | $.properties.properties.email | $.context.traits.email"),
  rule(`${prefix}.external_id`, "$.userId"),
  rule(`${prefix}.name`, "$.context.traits.name", { template: joinedName("context.traits") }),
];

const property = (...names: string[]) => names.map((name) => `$.properties.${name}`).join(" | ");

const ticketFields: FieldDefinition[] = [
  text("subject", "Subject"),
  text("comment", "The comment"),
  { to: "public", kind: "flag", what: "Whether the requester sees the comment; private unless told" },
  word("priority", "low, normal, high or urgent"),
  word("status", "new, open, pending, hold or solved"),
  word("type", "problem, incident, question or task"),
  id("group_id", "The id of the group in Zendesk, or its exact name"),
  id("assignee_id", "The id of the agent in Zendesk"),
];
const requesterFields: FieldDefinition[] = [
  id("requester.id", "The requester's id in Zendesk"),
  text("requester.email", "The requester's e-mail"),
  id("requester.external_id", "Your own id of the requester"),
  text("requester.name", "The requester's name, should they be new"),
];
const ticketRules: MappingRule[] = [
  rule("subject", property("subject")),
  rule("comment", property("comment", "body", "description")),
  rule("public", property("public")),
  rule("priority", property("priority")),
  rule("status", property("status")),
  rule("type", property("type")),
  rule("group_id", property("group_id", "groupId", "group")),
  rule("custom_fields", property("custom_fields", "customFields")),
];

/** The six actions (C-6 … C-12). Where a document names no fields (X-12), these are ours. */
export const actionDefinitions: Record<ActionKey, ActionDefinition> = {
  upsert_user: {
    name: "Create or update user",
    description:
      "Creates the user that an identify names, or changes what differs. Found by Zendesk id, your id, e-mail.",
    fields: [
      ...userFields(""),
      id("organization_id", "The id of an organization in Zendesk: the user is added to it"),
      { to: "tags", kind: "tags", what: "Tags to add" },
      text("details", "Details"),
      text("notes", "Notes"),
      text("alias", "Alias"),
      text("locale", "Language, as de-DE"),
    ],
    records: ["user_fields"],
    candidates: { from: ["$.traits", "$.context.traits"], except: ["company"] },
    defaults: { customerio: upsertUser("customerio"), rudderstack: upsertUser("rudderstack") },
  },
  upsert_organization: {
    name: "Create or update organization",
    description:
      "Creates the organization that a group call names, or changes what differs. Adds the user where the call has one.",
    fields: [
      id("external_id", "Your own id of the organization: what it is found by"),
      text("name", "Name"),
      { to: "domain_names", kind: "domains", what: "Domains; those of free mail are left out" },
      { to: "tags", kind: "tags", what: "Tags" },
      text("url", "Its address on the web"),
      { to: "deleted", kind: "flag", what: "Whether it is gone" },
      text("details", "Details"),
      text("notes", "Notes"),
      ...userFields("user."),
    ],
    records: ["organization_fields"],
    candidates: { from: ["$.traits"], except: [] },
    defaults: same({
      trigger: { all: [isType("group")] },
      mapping: [
        rule("external_id", "$.groupId"),
        rule("name", "$.traits.name"),
        rule("domain_names", "$.traits.domainNames | $.traits.domain_names"),
        rule("tags", "$.traits.tags"),
        rule("url", "$.traits.url"),
        rule("deleted", "$.traits.deleted"),
        rule("user.id", zendeskUserId),
        // X-16: the user's traits stand in context.traits; some senders put the e-mail beside the group's.
        rule("user.email", "$.context.traits.email | $.traits.email"),
        rule("user.external_id", "$.userId"),
        rule("user.name", "$.context.traits.name", { template: joinedName("context.traits") }),
        rule("user.time_zone", "$.context.traits.timezone"),
        rule("user.phone", "$.context.traits.phone"),
      ],
    }),
  },
  update_membership: {
    name: "Update organization membership",
    description:
      "Adds the user to an organization, or removes them where the identify says so. Other memberships stay.",
    fields: [
      ...userFields("user.").slice(0, 4),
      id("organization_id", "The id of the organization in Zendesk, or your own id of it"),
      { to: "remove", kind: "flag", what: "True removes the user from the organization", beside: "organization_id" },
    ],
    records: [],
    candidates: { from: [], except: [] },
    defaults: { customerio: updateMembership("customerio"), rudderstack: updateMembership("rudderstack") },
  },
  create_ticket: {
    name: "Create ticket",
    description: "Creates a ticket, once for each external id.",
    fields: [
      ...ticketFields,
      id("external_id", "Your own id of the ticket: it is created once"),
      { to: "tags", kind: "tags", what: "Tags" },
      id("organization_id", "The id of one of the requester's organizations in Zendesk"),
      ...requesterFields,
    ],
    records: ["custom_fields"],
    candidates: { from: [], except: [] },
    defaults: same({
      trigger: { all: [isType("track"), isEvent("Ticket Created")] },
      mapping: [
        ...ticketRules,
        rule("tags", property("tags")),
        rule("external_id", `${property("external_id", "externalId")} | $.messageId`),
        ...userOfTrack("requester"),
      ],
    }),
  },
  update_ticket: {
    name: "Update ticket",
    description:
      "Changes a ticket, unless somebody else changed it at the same time. Tags are added and removed one by one.",
    fields: [
      id("id", "The ticket's id in Zendesk"),
      id("external_id", "Your own id of the ticket, where its id in Zendesk is not known"),
      ...ticketFields,
      { to: "additional_tags", kind: "tags", what: "Tags to add" },
      { to: "remove_tags", kind: "tags", what: "Tags to remove" },
      ...requesterFields,
    ],
    records: ["custom_fields"],
    candidates: { from: [], except: [] },
    defaults: same({
      trigger: { all: [isType("track"), isEvent("Ticket Updated")] },
      mapping: [
        rule("id", property("ticket_id", "ticketId", "zendesk_ticket_id")),
        rule("external_id", property("external_id", "externalId")),
        ...ticketRules,
        rule("additional_tags", property("additional_tags", "add_tags", "tags")),
        rule("remove_tags", property("remove_tags")),
        // Not the user of the event: who tells of a change need not be the ticket's requester.
        rule("requester.id", property("requester_id", "requesterId", "requester.id")),
        rule("requester.email", property("requester_email", "requesterEmail", "requester.email")),
        rule("requester.external_id", property("requester.external_id", "requester.externalId")),
        rule("requester.name", property("requester.name")),
      ],
    }),
  },
  track_event: {
    name: "Track event",
    description:
      "Files an event of a user's under that user, where Zendesk shows it; else in Bellwether's own timeline.",
    fields: [
      text("type", "The name of the event"),
      text("description", "What happened, in words"),
      text("created_at", "When it happened"),
      { to: "properties", kind: "record", what: "What belongs to it" },
      ...userFields("user.").slice(0, 4),
    ],
    records: [],
    candidates: { from: [], except: [] },
    defaults: same({
      trigger: { all: [isType("track"), isNotEvent("Ticket Created"), isNotEvent("Ticket Updated")] },
      mapping: [
        rule("type", "$.event"),
        rule("created_at", "$.timestamp"),
        rule("properties", "$.properties"),
        ...userOfTrack("user"),
      ],
    }),
  },
};

/** What a field of an action takes; null where the action has no such field. */
export function kindOf(action: ActionKey, to: string): FieldKind | null {
  const { fields, records } = actionDefinitions[action];
  const named = fields.find((field) => field.to === to);
  if (named) return named.kind;
  if (records.includes(to)) return "record";
  return records.some((record) => to.startsWith(`${record}.`) && to.length > record.length + 1) ? "any" : null;
}
