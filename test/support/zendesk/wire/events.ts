import { createHash } from "node:crypto";
import type { EventPart, EventSubject } from "../world/event-types.ts";
import type { Id } from "../world/ids.ts";
import type { Organization, Ticket, User } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import type { Wire } from "./json.ts";

/** The account's number, as deliveries carry it in `x-zendesk-account-id`. */
export function accountIdOf(world: World): string {
  return String(10_000_000 + (createHash("sha256").update(world.subdomain).digest().readUInt32BE(0) % 80_000_000));
}

/** The envelope of an event: ids as text, enumerations in upper case. */
export function eventEnvelope(world: World, subject: EventSubject, id: Id, eventId: string, part: EventPart): Wire {
  return {
    account_id: Number(accountIdOf(world)),
    detail: detailOf(world, subject, id),
    event: part.event,
    id: eventId,
    subject: `zen:${subject}:${id}`,
    time: new Date(world.now()).toISOString(),
    type: `zen:event-type:${part.type}`,
    zendesk_event_version: subject === "ticket" ? "2022-11-06" : "2022-06-20",
  };
}

function detailOf(world: World, subject: EventSubject, id: Id): Wire {
  if (subject === "ticket") return ticketDetail(world.tickets.existing(id));
  if (subject === "user") return userDetail(world.users.byId.get(id) as User);
  return organizationDetail(world.organizations.byId.get(id) as Organization);
}

function ticketDetail(ticket: Ticket): Wire {
  return {
    actor_id: ticket.submitterId,
    assignee_id: ticket.assigneeId,
    brand_id: "1",
    created_at: iso(ticket.createdAt),
    custom_status: ticket.customStatusId,
    description: ticket.description,
    external_id: ticket.externalId,
    form_id: null,
    group_id: ticket.groupId,
    id: ticket.id,
    is_public: ticket.isPublic,
    organization_id: ticket.organizationId,
    priority: ticket.priority?.toUpperCase() ?? null,
    requester_id: ticket.requesterId,
    status: (ticket.deleted ? "deleted" : ticket.status).toUpperCase(),
    subject: ticket.subject,
    submitter_id: ticket.submitterId,
    tags: ticket.tags,
    type: ticket.type?.toUpperCase() ?? null,
    updated_at: iso(ticket.updatedAt),
    via: { channel: ticket.channel.toUpperCase() },
  };
}

/** "" and "0" are Zendesk's null here. */
function userDetail(user: User): Wire {
  return {
    created_at: iso(user.createdAt),
    default_group_id: user.defaultGroupId ?? "0",
    email: user.email ?? "",
    external_id: user.externalId ?? "",
    id: user.id,
    organization_id: user.organizationId ?? "0",
    role: user.role.toUpperCase(),
    updated_at: iso(user.updatedAt),
  };
}

function organizationDetail(organization: Organization): Wire {
  return {
    created_at: iso(organization.createdAt),
    external_id: organization.externalId ?? "",
    group_id: organization.groupId ?? "0",
    id: organization.id,
    name: organization.name,
    shared_comments: false,
    shared_tickets: false,
    updated_at: iso(organization.updatedAt),
  };
}

const iso = (instant: number): string => new Date(instant).toISOString();
