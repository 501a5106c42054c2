import { membershipRow } from "../wire/people.ts";
import type { Membership } from "../world/rows.ts";
import { type Answer, ok, recordNotFound } from "./answer.ts";
import { Complaints, type Given, listIn, objectIn } from "./given.ts";
import { inBulk, unassignLater } from "./job-routes.ts";
import type { Call, Route } from "./routes.ts";
import { noteMembership } from "./user-writes.ts";

const mostMemberships = 300;

const route = (method: Route["method"], path: string, answer: Route["answer"]): Route => ({
  method,
  path,
  demands: { scope: "organizations", write: method !== "GET" },
  answer,
});

/** Joining and leaving organizations (zendesk-api section 8.2). */
export const membershipRoutes: Route[] = [
  route("POST", "/organization_memberships", (call) => {
    const membership = join(call, objectIn(call, "organization_membership"));
    return { status: 201, json: { organization_membership: row(call, membership) } };
  }),
  route("POST", "/organization_memberships/create_many", (call) =>
    inBulk(call, "Bulk Create Organization Membership", listIn(call, "organization_memberships"), (given) => ({
      id: Number(join(call, given).id),
      status: "Created",
    })),
  ),
  route("DELETE", "/organization_memberships/destroy_many", (call) => {
    const ids = (call.request.query.get("ids") ?? "").split(",").map((id) => ({ id }));
    return inBulk(call, "Bulk Delete Organization Membership", ids, ({ id }) => {
      end(call, existing(call, String(id)));
      return { id: Number(id), action: "delete", status: "Deleted", success: true };
    });
  }),
  route("GET", "/organization_memberships/{id}", (call) =>
    ok({ organization_membership: row(call, existing(call, call.params.id ?? "")) }),
  ),
  route("DELETE", "/organization_memberships/{id}", (call) => end(call, existing(call, call.params.id ?? ""))),
  route("DELETE", "/users/{userId}/organization_memberships/{id}", (call) =>
    end(call, existing(call, call.params.id ?? "")),
  ),
  route("PUT", "/users/{userId}/organization_memberships/{id}/make_default", makeDefault),
];

function join(call: Call, given: Given): Membership {
  const { world } = call.request;
  const user = world.users.byId.get(String(given.user_id));
  const organization = world.organizations.byId.get(String(given.organization_id));
  const complaints = new Complaints();
  if (user === undefined || !user.active) complaints.add("user", "User: cannot be blank", "BlankValue");
  if (organization === undefined || organization.deletedAt !== null) {
    complaints.add("organization", "Organization: cannot be blank", "BlankValue");
  }
  complaints.raise();
  const [userId, organizationId] = [String(given.user_id), String(given.organization_id)];
  const own = world.users.membershipsOf(userId);
  if (own.some((one) => one.organizationId === organizationId)) {
    complaints.add("user_id", "User is already a member of this organization", "DuplicateValue");
  } else if (own.length >= (world.settings.multipleOrganizations ? mostMemberships : 1)) {
    complaints.add("base", "The user cannot be in more organizations");
  }
  complaints.raise();
  const membership = world.users.join(userId, organizationId);
  noteMembership(call, "membership.created", membership);
  if (given.default === true && !membership.isDefault) setDefault(call, membership);
  return membership;
}

function end(call: Call, membership: Membership): Answer {
  const { userId, organizationId } = membership;
  call.request.world.users.endMembership(userId, organizationId);
  noteMembership(call, "membership.removed", membership);
  unassignLater(call, userId, organizationId);
  return { status: 204 };
}

function makeDefault(call: Call): Answer {
  const { users } = call.request.world;
  const membership = existing(call, call.params.id ?? "");
  if (!membership.isDefault) setDefault(call, membership);
  return ok({ organization_memberships: users.membershipsOf(membership.userId).map((one) => row(call, one)) });
}

function setDefault(call: Call, { id, userId, organizationId }: Membership): void {
  call.request.world.users.makeDefault(userId, organizationId);
  call.note("membership.made_default", id, { user_id: userId, organization_id: organizationId });
}

function existing(call: Call, id: string): Membership {
  const membership = call.request.world.users.memberships.get(id);
  const { userId = membership?.userId } = call.params;
  if (membership === undefined || membership.userId !== userId) throw recordNotFound();
  return membership;
}

function row({ request }: Call, membership: Membership): Given {
  return membershipRow(request.world, request.base, membership);
}
