import { isoSeconds } from "../world/clock.ts";
import type { Identity } from "../world/identities.ts";
import type { Membership, Organization, User } from "../world/rows.ts";
import { timeZones } from "../world/time-zones.ts";
import type { World } from "../world/world.ts";
import { distorted } from "./distort.ts";
import { type Wire, wireId } from "./json.ts";

export function userRow(world: World, base: string, user: User): Wire {
  return distorted(world, "user", user.id, {
    id: wireId(user.id),
    url: `${base}/api/v2/users/${user.id}.json`,
    name: user.name,
    email: user.email,
    created_at: isoSeconds(user.createdAt),
    updated_at: isoSeconds(user.updatedAt),
    time_zone: user.timeZone,
    iana_time_zone: timeZones.get(user.timeZone) ?? null,
    phone: user.phone,
    shared_phone_number: null,
    photo: null,
    locale_id: 1,
    locale: "en-US",
    organization_id: wireId(user.organizationId),
    role: user.role,
    verified: user.verified,
    external_id: user.externalId,
    tags: user.tags,
    alias: user.alias,
    active: user.active,
    shared: user.shared,
    shared_agent: false,
    last_login_at: user.lastLoginAt === null ? null : isoSeconds(user.lastLoginAt),
    two_factor_auth_enabled: false,
    signature: null,
    details: user.details,
    notes: user.notes,
    role_type: user.role === "agent" ? 0 : null,
    custom_role_id: wireId(user.customRoleId),
    moderator: user.role !== "end-user",
    ticket_restriction: user.role === "end-user" ? "requested" : null,
    only_private_comments: false,
    restricted_agent: user.role === "end-user",
    suspended: user.suspended,
    chat_only: false,
    default_group_id: wireId(user.defaultGroupId),
    report_csv: false,
    user_fields: Object.fromEntries(user.fields),
  });
}

/** What `users/me` answers to nobody in particular: 200, and no id. */
export function anonymousUser(base: string): Wire {
  return {
    id: null,
    url: `${base}/api/v2/users/.json`,
    name: "Anonymous user",
    email: "invalid@example.com",
    created_at: null,
    updated_at: null,
    time_zone: "UTC",
    iana_time_zone: "Etc/UTC",
    phone: null,
    shared_phone_number: null,
    photo: null,
    locale_id: 1,
    locale: "en-US",
    organization_id: null,
    role: "end-user",
    verified: false,
    authenticity_token: null,
  };
}

export function organizationRow(world: World, base: string, organization: Organization): Wire {
  const withDeletion = world.settings.deletedOrganizationsInExport;
  return distorted(world, "organization", organization.id, {
    url: `${base}/api/v2/organizations/${organization.id}.json`,
    id: wireId(organization.id),
    name: organization.name,
    shared_tickets: false,
    shared_comments: false,
    external_id: organization.externalId,
    created_at: isoSeconds(organization.createdAt),
    updated_at: isoSeconds(organization.updatedAt),
    domain_names: organization.domainNames,
    details: organization.details,
    notes: organization.notes,
    group_id: wireId(organization.groupId),
    tags: organization.tags,
    organization_fields: Object.fromEntries(organization.fields),
    ...(withDeletion && {
      deleted_at: organization.deletedAt === null ? null : isoSeconds(organization.deletedAt),
    }),
  });
}

export function identityRow(base: string, user: User, identity: Identity): Wire {
  return {
    url: `${base}/api/v2/users/${user.id}/identities/${identity.id}.json`,
    id: wireId(identity.id),
    user_id: wireId(user.id),
    type: identity.type,
    value: identity.value,
    verified: identity.verified,
    primary: identity.value.toLowerCase() === user.email?.toLowerCase(),
    created_at: isoSeconds(identity.createdAt),
    updated_at: isoSeconds(identity.updatedAt),
    undeliverable_count: 0,
    deliverable_state: "deliverable",
  };
}

export function membershipRow(world: World, base: string, membership: Membership): Wire {
  return distorted(world, "membership", membership.id, {
    url: `${base}/api/v2/organization_memberships/${membership.id}.json`,
    id: wireId(membership.id),
    user_id: wireId(membership.userId),
    organization_id: wireId(membership.organizationId),
    default: membership.isDefault ? true : null,
    created_at: isoSeconds(membership.createdAt),
    organization_name: world.organizations.byId.get(membership.organizationId)?.name ?? null,
    updated_at: isoSeconds(membership.updatedAt),
    view_tickets: true,
  });
}
