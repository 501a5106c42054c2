import { identityRow, userRow } from "../wire/people.ts";
import type { User } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { type Answer, ok, recordNotFound, titledRefusal } from "./answer.ts";
import { Complaints, type Given, listIn, objectIn, textOf } from "./given.ts";
import { inBulk } from "./job-routes.ts";
import { listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";
import { addEmail, createUser, matchingUser, updateUser } from "./user-writes.ts";

const route = (method: Route["method"], path: string, answer: Route["answer"]): Route => ({
  method,
  path: `/users${path}`,
  demands: { scope: "users", write: method !== "GET" },
  answer,
});

/** Writing and finding users (zendesk-api sections 6.2 and 8.1). */
export const userRoutes: Route[] = [
  route("GET", "/search", searchUsers),
  route("POST", "", (call) => created(call, createUser(call, objectIn(call, "user")))),
  route("POST", "/create_or_update", createOrUpdate),
  route("POST", "/create_many", (call) =>
    importInBulk(call, (given) => ({ id: Number(createUser(call, given).id), status: "Created" })),
  ),
  route("POST", "/create_or_update_many", (call) =>
    importInBulk(call, (given) => {
      const known = matchingUser(call.request.world, given);
      const user = known === undefined ? createUser(call, given) : updateUser(call, known, given);
      return { id: Number(user.id), external_id: user.externalId, status: known === undefined ? "Created" : "Updated" };
    }),
  ),
  route("PUT", "/update_many", (call) =>
    inBulk(call, "Bulk User Update", listIn(call, "users"), (given) => {
      const user = updateUser(call, existing(call.request.world, String(given.id)), given);
      return { id: Number(user.id), action: "update", status: "Updated", success: true };
    }),
  ),
  route("PUT", "/{id}", (call) => {
    const user = updateUser(call, existing(call.request.world, call.params.id ?? ""), objectIn(call, "user"));
    return ok({ user: row(call, user) });
  }),
  route("DELETE", "/{id}", (call) => {
    const { world } = call.request;
    const user = existing(world, call.params.id ?? "");
    if (!user.active) throw recordNotFound();
    world.users.delete(user.id);
    call.note("user.deleted", user.id, {});
    return ok({ user: row(call, user) });
  }),
  route("GET", "/{id}/identities", (call) => listIdentities(call, existing(call.request.world, call.params.id ?? ""))),
  route("POST", "/{id}/identities", addIdentity),
  route("PUT", "/{id}/identities/{identityId}/make_primary", makePrimary),
  route("DELETE", "/{id}/identities/{identityId}", removeIdentity),
];

function createOrUpdate(call: Call): Answer {
  const given = objectIn(call, "user");
  const known = matchingUser(call.request.world, given);
  if (known === undefined) return created(call, createUser(call, given));
  return { ...ok({ user: row(call, updateUser(call, known, given)) }), headers: location(call, known) };
}

/** Zendesk lets an account import users in bulk only when asked to. */
function importInBulk(call: Call, write: (given: Given) => Record<string, unknown>): Answer {
  if (!call.request.world.settings.bulkUserImport) {
    throw titledRefusal(403, "Forbidden", "Bulk import is not enabled for this account");
  }
  return inBulk(call, "Bulk User Creation", listIn(call, "users"), write);
}

/** `?external_id=`, or `?query=`: what the index finds, which is more than what was meant, and not yet the newest rows. */
function searchUsers(call: Call): Answer {
  const { world, query } = call.request;
  const externalId = query.get("external_id");
  const tests =
    externalId === null
      ? testsOf(world, query.get("query") ?? "")
      : [(user: User) => hasExternalId(world, user, externalId)];
  const rows = world.users.list((user) => tests.every((fits) => fits(user)));
  return listAnswer(call.request, {
    key: "users",
    rows,
    positionOf: (user) => user.id,
    compare: () => 0,
    write: (user) => row(call, user),
  });
}

/** Every term has to fit: `email:`, `external_id:`, `role:`, or a word of the name or an address. */
function testsOf(world: World, query: string): ((user: User) => boolean)[] {
  const terms = query.match(/(?:\w+:)?(?:"[^"]*"|[^\s"]+)/g) ?? [];
  return terms.length === 0 ? [() => false] : terms.map((term) => testOf(world, term));
}

function testOf(world: World, term: string): (user: User) => boolean {
  const [, field = "", quoted = ""] = /^(?:(\w+):)?(.*)$/.exec(term) ?? [];
  const value = quoted.replace(/^"(.*)"$/, "$1");
  const phrase = wordsOf(value);
  switch (field) {
    case "type":
      return () => value === "user";
    case "role":
      return (user) => user.role === value;
    case "email":
      return (user) => addressesOf(world, user).some((address) => holds(address, phrase));
    case "external_id":
      return (user) => hasExternalId(world, user, value);
    default:
      return (user) =>
        (isIndexed(world, user) && holds(user.name, phrase)) ||
        addressesOf(world, user).some((address) => holds(address, phrase));
  }
}

function hasExternalId(world: World, user: User, externalId: string): boolean {
  return isIndexed(world, user) && user.externalId?.toLowerCase() === externalId.toLowerCase();
}

function isIndexed(world: World, user: User): boolean {
  return user.searchableFrom <= world.now();
}

function addressesOf(world: World, user: User): string[] {
  return world.identities.of(user.id).flatMap((one) => (one.searchableFrom <= world.now() ? [one.value] : []));
}

/** An index of words: `ann@acme.com` is found in `mary.ann@acme.com.au`. */
function holds(text: string, phrase: string): boolean {
  const [first = ""] = phrase.trim().split(" ");
  return text.toLowerCase().includes(first) && wordsOf(text).includes(phrase);
}

function wordsOf(text: string): string {
  return ` ${text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
    .join(" ")} `;
}

function listIdentities(call: Call, user: User): Answer {
  return listAnswer(call.request, {
    key: "identities",
    rows: call.request.world.identities.sorted(user.id),
    positionOf: (one) => one.id,
    compare: (left, right) => Number(left) - Number(right),
    write: (one) => identityRow(call.request.base, user, one),
  });
}

function addIdentity(call: Call): Answer {
  const { world, base } = call.request;
  const user = existing(world, call.params.id ?? "");
  const given = objectIn(call, "identity");
  const value = textOf(given.value) ?? "";
  const complaints = new Complaints();
  if (given.type !== "email") complaints.add("type", `Type: ${String(given.type)} is not valid`, "InvalidValue");
  else if (!/^\S+@\S+$/.test(value))
    complaints.add("value", `Email: ${value} is not properly formatted`, "InvalidFormat");
  else if (world.identities.ownerOf(value) !== undefined) {
    complaints.add("value", `Email: ${value} is already being used by another user`, "DuplicateValue");
  }
  complaints.raise();
  addEmail(call, user, value, given);
  const identity = world.identities.sorted(user.id).at(-1);
  return { status: 201, json: { identity: identity && identityRow(base, user, identity) } };
}

function makePrimary(call: Call): Answer {
  const { world, base } = call.request;
  const { user, identity } = existingIdentity(call);
  if (user.email !== identity.value) {
    world.users.makePrimary(user.id, identity.value);
    call.note("identity.made_primary", identity.id, { user_id: user.id, value: identity.value });
  }
  return ok({ identities: world.identities.sorted(user.id).map((one) => identityRow(base, user, one)) });
}

function removeIdentity(call: Call): Answer {
  const { world } = call.request;
  const { user, identity } = existingIdentity(call);
  if (user.email === identity.value) {
    const complaints = new Complaints();
    complaints.add("base", "The primary identity cannot be deleted");
    complaints.raise();
  }
  world.identities.remove(user, identity.id);
  call.note("identity.removed", identity.id, { user_id: user.id, value: identity.value });
  return { status: 204 };
}

function existingIdentity(call: Call) {
  const user = existing(call.request.world, call.params.id ?? "");
  const identity = call.request.world.identities.of(user.id).find(({ id }) => id === call.params.identityId);
  if (identity === undefined) throw recordNotFound();
  return { user, identity };
}

function existing(world: World, id: string): User {
  const user = world.users.byId.get(id);
  if (user === undefined || user.mergedInto !== null) throw recordNotFound();
  return user;
}

function created(call: Call, user: User): Answer {
  return { status: 201, json: { user: row(call, user) }, headers: location(call, user) };
}

function location({ request }: Call, user: User): Record<string, string> {
  return { location: `${request.base}/api/v2/users/${user.id}.json` };
}

function row({ request }: Call, user: User): Given {
  return userRow(request.world, request.base, user);
}
