import { membershipRow, userRow } from "../wire/people.ts";
import type { Id } from "../world/ids.ts";
import type { Membership, Role, User } from "../world/rows.ts";
import { timeZones } from "../world/time-zones.ts";
import type { UserInput } from "../world/users.ts";
import type { World } from "../world/world.ts";
import { recordNotFound, titledRefusal } from "./answer.ts";
import { tagsAfter, valuesByKey } from "./custom-values.ts";
import { Complaints, difference, type Given, isGiven, isTrue, pick, same, tagsOf, textOf } from "./given.ts";
import { unassignLater } from "./job-routes.ts";
import type { Call } from "./routes.ts";

/** Writes a new user. Throws a 422 that names everything that is wrong with it. */
export function createUser(call: Call, given: Given): User {
  const { world } = call.request;
  const complaints = new Complaints();
  const { name, ...wanted } = readUser(world, given, complaints, null);
  if (!name) complaints.add("name", "Name: is too short (minimum one character)", "ValueTooShort");
  complaints.raise();
  const searchableFrom = world.now() + world.settings.searchLag;
  const verified = isTrue(given.verified);
  const organizationId = wanted.organizationId ?? organizationNamed(call, given.organization);
  const user = world.users.create({ ...wanted, organizationId, name: name as string, verified, searchableFrom });
  call.note("user.created", user.id, pick(row(call, user), ["name", "email", "external_id", ...Object.keys(given)]));
  for (const membership of world.users.membershipsOf(user.id)) noteMembership(call, "membership.created", membership);
  if (user.email !== null) sendVerification(call, user, user.email, given);
  for (const identity of Array.isArray(given.identities) ? given.identities.filter(isGiven) : []) {
    const value = textOf(identity.value);
    const isFree = value != null && world.identities.ownerOf(value) === undefined;
    if (identity.type === "email" && isFree) addEmail(call, user, value, identity);
  }
  return user;
}

/** Writes what is given. An e-mail is added beside those there are; an organization takes the place of all there are. */
export function updateUser(call: Call, user: User, given: Given): User {
  const { world } = call.request;
  if (!user.active) throw recordNotFound();
  if (user.shared) throw titledRefusal(403, "Forbidden", "Shared users cannot be updated");
  const complaints = new Complaints();
  const { email, organizationId, fields, ...columns } = readUser(world, given, complaints, user);
  if (columns.name === "") complaints.add("name", "Name: is too short (minimum one character)", "ValueTooShort");
  complaints.raise();
  const before = row(call, user);
  const changes = Object.entries({
    ...columns,
    ...(given.verified !== undefined && { verified: isTrue(given.verified) }),
  });
  const changed = Object.fromEntries(changes.filter(([key, value]) => !same(user[key as keyof User], value)));
  const changedFields = Object.entries(fields ?? {}).filter(([key, value]) => !same(user.fields.get(key), value));
  if (Object.keys(changed).length + changedFields.length > 0) {
    world.users.update(user.id, {
      ...changed,
      ...(changedFields.length > 0 && { fields: Object.fromEntries(changedFields) }),
    });
  }
  const target = organizationId === undefined ? organizationNamed(call, given.organization) : organizationId;
  if (target !== undefined) replaceMemberships(call, user, target);
  const isNew = email != null && world.identities.ownerOf(email) === undefined;
  if (isNew) addEmail(call, user, email, given);
  const values = difference(before, row(call, user));
  if (Object.keys(values).length > 0) call.note("user.updated", user.id, values);
  return user;
}

/** A further address, and the mail that asks to verify it. */
export function addEmail(call: Call, user: User, email: string, given: Given): void {
  const { world } = call.request;
  const searchableFrom = world.now() + world.settings.searchLag;
  const identity = world.users.addEmail(user.id, email, { verified: isTrue(given.verified), searchableFrom });
  call.note("identity.created", identity.id, { user_id: user.id, type: "email", value: email });
  sendVerification(call, user, email, given);
}

/** The user that a create-or-update means: by external id, else by e-mail, both in whatever case. */
export function matchingUser(world: World, given: Given): User | undefined {
  const externalId = textOf(given.external_id);
  const known = externalId == null ? undefined : world.users.findByExternalId(externalId);
  const email = textOf(given.email);
  return known ?? (email == null ? undefined : world.identities.ownerOf(email));
}

export function noteMembership(call: Call, kind: "membership.created" | "membership.removed", membership: Membership) {
  const { user_id, organization_id } = membershipRow(call.request.world, call.request.base, membership);
  call.note(kind, membership.id, { user_id: String(user_id), organization_id: String(organization_id) });
}

function readUser(world: World, given: Given, complaints: Complaints, self: User | null): Partial<UserInput> {
  const fields = valuesByKey(world, "user", given.user_fields, complaints);
  const written = tagsOf(given.tags) ?? self?.tags ?? [];
  const tags = tagsAfter(written, fields);
  const read: Partial<UserInput> = { fields: fields.values, ...(!same(tags, self?.tags ?? []) && { tags }) };
  const columns = { phone: "phone", alias: "alias", details: "details", notes: "notes" } as const;
  for (const [name, column] of Object.entries(columns)) {
    const text = textOf(given[name]);
    if (text !== undefined) Object.assign(read, { [column]: text });
  }
  const name = textOf(given.name);
  if (name !== undefined) read.name = name ?? "";
  if (given.suspended !== undefined) read.suspended = isTrue(given.suspended);
  readRole(given, read, complaints);
  readTimeZone(given, read, complaints);
  readEmail(world, given, read, complaints, self);
  readExternalId(world, given, read, complaints, self);
  readOrganization(world, given, read, complaints);
  return read;
}

function readRole(given: Given, read: Partial<UserInput>, complaints: Complaints): void {
  const role = textOf(given.role);
  if (role == null) return;
  if (["end-user", "agent", "admin"].includes(role)) read.role = role as Role;
  else complaints.add("role", `Role: ${role} is not valid`, "InvalidValue");
}

function readTimeZone(given: Given, read: Partial<UserInput>, complaints: Complaints): void {
  const zone = textOf(given.time_zone);
  if (zone == null) return;
  if (timeZones.has(zone)) read.timeZone = zone;
  else complaints.add("time_zone", `Time zone: ${zone} is not valid`, "InvalidValue");
}

function readEmail(world: World, given: Given, read: Partial<UserInput>, complaints: Complaints, self: User | null) {
  const email = textOf(given.email);
  if (email == null) return;
  const owner = world.identities.ownerOf(email);
  if (!/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(email)) {
    complaints.add("email", `Email: ${email} is not properly formatted`, "InvalidFormat");
  } else if (owner !== undefined && owner !== self) {
    complaints.add("email", `Email: ${email} is already being used by another user`, "DuplicateValue");
  } else {
    read.email = email;
  }
}

function readExternalId(
  world: World,
  given: Given,
  read: Partial<UserInput>,
  complaints: Complaints,
  self: User | null,
) {
  const externalId = textOf(given.external_id);
  if (externalId === undefined) return;
  const owner = externalId === null ? undefined : world.users.findByExternalId(externalId);
  if (owner === undefined || owner === self) read.externalId = externalId;
  else complaints.add("external_id", `External: ${externalId} has already been taken`, "DuplicateValue");
}

function readOrganization(world: World, given: Given, read: Partial<UserInput>, complaints: Complaints): void {
  const id = textOf(given.organization_id);
  if (id === undefined) return;
  const organization = world.organizations.byId.get(id ?? "");
  if (id === null || (organization !== undefined && organization.deletedAt === null)) read.organizationId = id;
  else complaints.add("organization_id", `Organization: ${id} does not exist`, "InvalidValue");
}

/** `organization: {name}` means the one of that name, which comes to be where there is none. */
function organizationNamed(call: Call, given: unknown): Id | undefined {
  const name = isGiven(given) ? textOf(given.name) : undefined;
  if (name == null) return undefined;
  const { organizations } = call.request.world;
  const known = organizations.list().find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (known !== undefined) return known.id;
  const created = organizations.create({ name });
  call.note("organization.created", created.id, { name });
  return created.id;
}

function replaceMemberships(call: Call, user: User, organizationId: Id | null): void {
  const { world } = call.request;
  const former = world.users.membershipsOf(user.id);
  if (
    same(
      former.map((one) => one.organizationId),
      organizationId === null ? [] : [organizationId],
    )
  )
    return;
  world.users.update(user.id, { organizationId });
  for (const membership of former) {
    noteMembership(call, "membership.removed", membership);
    if (membership.organizationId !== organizationId) unassignLater(call, user.id, membership.organizationId);
  }
  for (const membership of world.users.membershipsOf(user.id)) noteMembership(call, "membership.created", membership);
}

function sendVerification(call: Call, user: User, email: string, given: Given): void {
  if (isTrue(given.skip_verify_email) || isTrue(given.verified)) return;
  call.note("verification_mail.sent", user.id, { to: email });
}

function row({ request }: Call, user: User): Given {
  return userRow(request.world, request.base, user);
}
