import { nameOf, type Person } from "#lib/destinations/procedures/command-fields.ts";
import { findAll, findRow, findRows, idIn, isId, isSameText } from "#lib/destinations/procedures/rows.ts";
import { fail, hold, isApproved, type Task } from "#lib/destinations/procedures/task.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** Of the users that the search gives beside the right one, so many are asked whether the e-mail is a further one of theirs. */
const mostAsked = 10;

/**
 * The one user of Zendesk that a person is: by Zendesk id, else by external id, else by e-mail; each compared exactly, without
 * regard to case, as Zendesk does (row 101). Several are held, never the first one taken; null where there is none.
 */
export async function findUser(task: Task, person: Person): Promise<Wire | null> {
  if (person.id !== null) return userById(task, person.id);
  const { externalId, email } = person;
  const byExternalId = externalId === null ? null : await userByExternalId(task, externalId);
  if (email === null || isSameText(byExternalId?.email, email)) return byExternalId;
  const byEmail = await userByEmail(task, email);
  if (byExternalId === null) return byEmail && sameExternalId(task, byEmail, person);
  if (byEmail === null || idIn(byEmail) === idIn(byExternalId)) return byExternalId;
  return ambiguous(
    [byExternalId, byEmail],
    `The external id ${externalId} and the e-mail ${email} belong to two users of Zendesk`,
  );
}

/** As `findUser`; nobody is a dead letter, which whatever makes the user takes up again. */
export async function requireUser(task: Task, person: Person): Promise<Wire> {
  return (await findUser(task, person)) ?? noUser(task, person);
}

/** `couldBeApproved`: the event has what a new user needs, and only a person's word is missing (C-31). */
export function noUser({ isDryRun, settings }: Task, person: Person, { couldBeApproved = false } = {}): never {
  const mayCreate = settings.unknownUserOnTrack === "create";
  const lacking = mayCreate && person.email === null ? ", and without an e-mail none is created" : "";
  const orApprove = couldBeApproved ? " Or approve this, which creates the user." : "";
  const orCreate = mayCreate ? "" : " Or let the destination create users that it does not find.";
  const alone =
    " Each command is looked at by itself here: if another one of the same event creates the user, this one finds them.";
  return fail(
    "user_not_found",
    `Zendesk has no user with ${nameOf(person)}${lacking}.${isDryRun ? alone : ""}`,
    `Identify the user first, with their e-mail; then replay this. An identify within the hour takes it up again by itself.${orApprove}${orCreate}`,
  );
}

async function userById(task: Task, id: string): Promise<Wire> {
  const user = isId(id) ? await findRow(task, "find user by id", `/api/v2/users/${id}`, "user") : null;
  if (user && user.active !== false) return user;
  return fail(
    "user_not_found",
    `Zendesk has no user with the id ${id}${user ? ": it was deleted there" : ""}.`,
    "Correct context.zendesk_user_id in the program that sends it, or leave it out: then external id and e-mail are looked up.",
  );
}

async function userByExternalId(task: Task, externalId: string): Promise<Wire | null> {
  const query = { external_id: externalId };
  const rows = await findRows(task, "find user by external id", "/api/v2/users", "users", query);
  const users = rows.filter((user) => user.active !== false && isSameText(user.external_id, externalId));
  return onlyOne(users, `The external id ${externalId} belongs to several users of Zendesk`);
}

/** The search is by words, and late: what it finds counts only when it has the very address. */
async function userByEmail(task: Task, email: string): Promise<Wire | null> {
  const query = { query: `email:${email}`, per_page: 100 };
  const rows = await findRows(task, "find user by e-mail", "/api/v2/users/search", "users", query);
  const found = rows.filter((user) => user.active !== false);
  const users = found.filter((user) => isSameText(user.email, email));
  if (users.length > 0) return onlyOne(users, `The e-mail ${email} belongs to several users of Zendesk`);
  for (const user of found.slice(0, mostAsked)) if (await hasIdentity(task, user, email)) return user;
  return ownUser(task, email);
}

/** What we have written just now the search may not find yet: the user of our own last command about the address. */
async function ownUser(task: Task, email: string): Promise<Wire | null> {
  const id = await task.written(`m:${email.toLowerCase()}`, "user");
  const user = isId(id ?? "") ? await findRow(task, "find user by id", `/api/v2/users/${id}`, "user") : null;
  return user && user.active !== false && isSameText(user.email, email) ? user : null;
}

/** Anybody can claim an address: as a further one it names its user only when Zendesk has verified it (row 101). */
async function hasIdentity(task: Task, user: Wire, email: string): Promise<boolean> {
  const path = `/api/v2/users/${idIn(user)}/identities`;
  const identities = (await findAll(task, "find user by further e-mails", path, "identities")) ?? [];
  const identity = identities.find(({ type, value }) => type === "email" && isSameText(value, email));
  if (!identity) return false;
  if (identity.verified === true || isApproved(task, "unverified_email")) return true;
  return hold(
    "unverified_email",
    `${email} is a further address of ${describe(user)}, and nobody has verified that it is theirs.`,
    "If it is, approve this, or verify the address in Zendesk. If not, remove it there, then approve this to look again.",
  );
}

/** Two people of the customer's may share an address; Zendesk has one user for it (row 102). */
function sameExternalId(task: Task, user: Wire, { externalId, email }: Person): Wire {
  if (externalId === null || !hasOtherExternalId(user, externalId) || isApproved(task, "external_id_differs"))
    return user;
  return hold(
    "external_id_differs",
    `The e-mail ${email} belongs to ${describe(user)}, whose external id is ${user.external_id} and not ${externalId}.`,
    "If they are one person, approve: the user is taken by the e-mail, and an identify gives it the new external id. If not, correct the e-mail in your product and discard this.",
  );
}

/** The user is known under another id of the customer's. */
export function hasOtherExternalId({ external_id: other }: Wire, externalId: string): boolean {
  return typeof other === "string" && other !== "" && !isSameText(other, externalId);
}

function onlyOne(users: Wire[], several: string): Wire | null {
  const [first, ...others] = users;
  return others.length === 0 ? (first ?? null) : ambiguous(users, several);
}

function ambiguous(users: Wire[], what: string): never {
  return hold(
    "ambiguous_user",
    `${what}: ${users.map(describe).join("; ")}. Nothing was written.`,
    "Merge them in Zendesk if they are one person, or correct the id or e-mail that is wrong; then approve this to look again.",
  );
}

export function describe(user: Wire): string {
  const email = typeof user.email === "string" ? `, ${user.email}` : "";
  const externalId = typeof user.external_id === "string" ? `, external id ${user.external_id}` : "";
  return `${String(user.name ?? "user")} (${idIn(user)}${email}${externalId})`;
}
