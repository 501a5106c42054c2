import { wireId } from "../wire/json.ts";
import type { Id } from "../world/ids.ts";
import type { User } from "../world/rows.ts";
import type { CustomerEvent, Identifier, Profile, ProfileInput } from "../world/sunshine.ts";
import { type Answer, invalidEndpoint, listedRefusal, ok, Refusal } from "./answer.ts";
import { bodyOf, type Given, isGiven, textOf } from "./given.ts";
import { listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";

const mostProfiles = 20;

const route = (method: Route["method"], path: string, answer: Route["answer"]): Route => ({
  method,
  path,
  demands: { scope: "users", write: method !== "GET" },
  noSuffix: true,
  answer: (call) => {
    const { sunshine } = call.request.world.settings;
    if (sunshine === 404) throw invalidEndpoint();
    if (sunshine === 403) throw listedRefusal(403, "Forbidden", "Events and profiles are not part of this plan");
    return answer(call);
  },
});

/** Customer events and profiles (zendesk-api sections 8.6 and 8.7). */
export const sunshineRoutes: Route[] = [
  route("POST", "/users/{id}/events", (call) => {
    const user = existingUser(call);
    const { profile, event } = readEvent(call);
    const known = call.request.world.sunshine.find(profile);
    if (known !== undefined && known.userId !== user.id) throw badRequest("The profile belongs to another user");
    return receive(call, upsert(call, profile, user.id), event);
  }),
  route("GET", "/users/{id}/events", (call) => {
    const user = existingUser(call);
    return listEvents(call, (event) => event.userId === user.id);
  }),
  route("POST", "/user_profiles/events", (call) => {
    const { profile, event } = readEvent(call);
    const known = call.request.world.sunshine.find(profile);
    return receive(call, upsert(call, profile, known?.userId ?? userBehind(call, profile).id), event);
  }),
  route("GET", "/user_profiles/events", (call) => {
    const [source, type, kind, ...value] = (call.request.query.get("identifier") ?? "").split(":");
    const identifiers = [{ type: kind ?? "", value: value.join(":") }];
    const profile = call.request.world.sunshine.find({ source: source ?? "", type: type ?? "", identifiers });
    if (profile === undefined) throw listedRefusal(404, "NotFound", "Profile not found");
    return listEvents(call, (event) => event.profileId === profile.id);
  }),
  route("POST", "/user_profiles/{id}/events", (call) =>
    receive(call, existingProfile(call), readEvent(call, true).event),
  ),
  route("GET", "/user_profiles/{id}/events", (call) => {
    const { id } = existingProfile(call);
    return listEvents(call, (event) => event.profileId === id);
  }),
  route("GET", "/user_profiles/{id}", (call) => ok({ profile: profileRow(existingProfile(call)) })),
  route("GET", "/users/{id}/profiles", (call) => {
    const profiles = call.request.world.sunshine.profilesOf(existingUser(call).id);
    return ok({ profiles: profiles.map(profileRow) });
  }),
];

type EventGiven = Pick<CustomerEvent, "source" | "type" | "description" | "properties" | "createdAt">;

function readEvent(call: Call, withoutProfile = false): { profile: ProfileInput; event: EventGiven } {
  const { profile, event } = bodyOf(call);
  if (!isGiven(event) || (!withoutProfile && !isGiven(profile))) throw badRequest("profile and event are required");
  const { source, type, description, properties, created_at } = event;
  if (typeof source !== "string" || typeof type !== "string")
    throw badRequest("event.source and event.type are required");
  if (source.toLowerCase() === "zendesk") throw badRequest("event.source must not be zendesk");
  if (!isGiven(properties)) throw badRequest("event.properties is required");
  const createdAt = created_at === undefined ? call.request.world.now() : Date.parse(String(created_at));
  if (Number.isNaN(createdAt)) throw badRequest("event.created_at is not a date");
  return {
    profile: readProfile(isGiven(profile) ? profile : {}, withoutProfile),
    event: { source, type, properties, createdAt, description: textOf(description) ?? null },
  };
}

function readProfile(given: Given, optional: boolean): ProfileInput {
  const { source, type, name, attributes } = given;
  const identifiers = (Array.isArray(given.identifiers) ? given.identifiers : []).filter(
    (one): one is Identifier => isGiven(one) && typeof one.type === "string" && typeof one.value === "string",
  );
  if (optional) return { source: "", type: "", identifiers };
  if (typeof source !== "string" || typeof type !== "string" || identifiers.length === 0) {
    throw badRequest("profile.source, profile.type and profile.identifiers are required");
  }
  return { source, type, identifiers, name: textOf(name) ?? null, ...(isGiven(attributes) && { attributes }) };
}

function upsert(call: Call, input: ProfileInput, userId: Id): Profile {
  const { sunshine } = call.request.world;
  const isNew = sunshine.find(input) === undefined;
  if (isNew && sunshine.profilesOf(userId).length >= mostProfiles) throw badRequest("A person has at most 20 profiles");
  const profile = sunshine.upsert(input, userId);
  if (isNew) call.note("profile.created", profile.id, profileRow(profile));
  propagate(call, profile, input.identifiers);
  return profile;
}

/** Identifiers that a user can have too become the user's, where they are still free. */
function propagate(call: Call, profile: Profile, identifiers: readonly Identifier[]): void {
  const { world } = call.request;
  const user = world.users.byId.get(profile.userId);
  for (const { type, value } of user === undefined ? [] : identifiers) {
    if (type === "email" && world.identities.ownerOf(value) === undefined) {
      const searchableFrom = world.now() + world.settings.searchLag;
      const identity = world.users.addEmail(profile.userId, value, { verified: false, searchableFrom });
      call.note("identity.created", identity.id, { user_id: profile.userId, type, value });
    }
    const isFree = type === "external_id" && user?.externalId === null && !world.users.findByExternalId(value);
    if (isFree) {
      world.users.update(profile.userId, { externalId: value });
      call.note("user.updated", profile.userId, { external_id: value });
    }
  }
}

/** Whoever has one of the identifiers, else a new user without a name. */
function userBehind(call: Call, { identifiers, name }: ProfileInput): User {
  const { world } = call.request;
  for (const { type, value } of identifiers) {
    const known = type === "email" ? world.identities.ownerOf(value) : undefined;
    const user = known ?? (type === "external_id" ? world.users.findByExternalId(value) : undefined);
    if (user !== undefined) return user;
  }
  const user = world.users.create({ name: name ?? "Anonymous user", verified: false });
  call.note("user.created", user.id, { name: user.name });
  return user;
}

/** Taken, and not more: readers see it later. */
function receive(call: Call, profile: Profile, given: EventGiven): Answer {
  const event = call.request.world.sunshine.receive(profile, given);
  const { source, type, description, properties } = event;
  const values = { user_id: profile.userId, profile_id: profile.id, source, type, description, properties };
  call.note("customer_event.received", event.id, values);
  return { status: 202, json: { profile_id: profile.id, status: "received", user_id: wireId(profile.userId) } };
}

function listEvents(call: Call, wanted: (event: CustomerEvent) => boolean): Answer {
  const { query, world } = call.request;
  const source = query.get("filter[source]");
  const type = query.get("filter[type]");
  if (type !== null && source === null) throw badRequest("filter[type] needs filter[source]");
  const from = Date.parse(query.get("filter[start_time]") ?? "");
  const until = Date.parse(query.get("filter[end_time]") ?? "");
  const rows = world.sunshine.readable(
    (event) =>
      wanted(event) &&
      (source === null || event.source === source) &&
      (type === null || event.type === type) &&
      !(event.createdAt < from) &&
      !(event.createdAt > until),
  );
  return listAnswer(call.request, {
    key: "events",
    rows,
    positionOf: (event) => event.id,
    compare: (left, right) => (left === right ? 0 : left > right ? -1 : 1),
    write: eventRow,
  });
}

function eventRow(event: CustomerEvent): Given {
  const { id, source, type, description, properties, createdAt, receivedAt } = event;
  const instants = { created_at: iso(createdAt), received_at: iso(receivedAt) };
  return { id, source, type, description, properties, ...instants };
}

function profileRow(profile: Profile): Given {
  const { id, userId, source, type, name, identifiers, attributes, createdAt, updatedAt } = profile;
  const instants = { created_at: iso(createdAt), updated_at: iso(updatedAt) };
  return { id, user_id: userId, source, type, name, identifiers, attributes, ...instants };
}

function existingUser(call: Call): User {
  const user = call.request.world.users.byId.get(call.params.id ?? "");
  if (user === undefined || user.mergedInto !== null) throw listedRefusal(404, "NotFound", "User not found");
  return user;
}

function existingProfile(call: Call): Profile {
  const profile = call.request.world.sunshine.profiles.get(call.params.id ?? "");
  if (profile === undefined) throw listedRefusal(404, "NotFound", "Profile not found");
  return profile;
}

function badRequest(title: string): Refusal {
  return new Refusal({ status: 400, json: { errors: [{ code: "InvalidRequest", id: "bad-request", title }] } });
}

const iso = (instant: number): string => new Date(instant).toISOString();
