import type { Db } from "#db/client.ts";
import type { Role } from "#lib/auth/shapes.ts";
import { findPeopleByEmail, markSignedIn, type PersonRow } from "#lib/auth/store/people.ts";
import { insertUser } from "#lib/auth/store/users.ts";
import { findWorkspace } from "#lib/auth/store/workspaces.ts";

/** What an OpenID Connect issuer says of who signed in there. */
export interface IssuerIdentity {
  issuer: string;
  email: string;
  emailVerified: boolean;
  name: string | null;
}

export type Admission =
  | { result: "admitted"; person: PersonRow }
  | { result: "refused"; reason: "unverified" | "disabled" | "not_invited" };

/** Who comes through the company's own issuer for the first time looks on until an administrator says more. */
const newcomerRole: Role = "viewer";
/** Issuers at which anybody can have an account: being known there is no invitation. */
const openIssuers =
  /^https:\/\/(accounts\.google\.com|gitlab\.com|appleid\.apple\.com|login\.microsoftonline\.com\/(common|consumers|organizations))(\/|$)/;

/**
 * Links the identity to the person with the same verified e-mail address. One who is nobody yet joins as a viewer, unless
 * the issuer is open to the world: there only people whom an administrator has added come in.
 */
export async function admit(
  db: Db,
  identity: IssuerIdentity,
  served: { demo: boolean },
  now: Date,
): Promise<Admission> {
  const email = identity.email.trim().toLowerCase();
  if (!identity.emailVerified || !email) return { result: "refused", reason: "unverified" };
  const person = await personOf(db, email, served);
  if (person === undefined) {
    if (openIssuers.test(identity.issuer)) return { result: "refused", reason: "not_invited" };
    return join(db, { email, name: identity.name }, served, now);
  }
  if (person.disabled) return { result: "refused", reason: "disabled" };
  await markSignedIn(db, person, now);
  return { result: "admitted", person };
}

async function join(
  db: Db,
  newcomer: { email: string; name: string | null },
  served: { demo: boolean },
  now: Date,
): Promise<Admission> {
  const workspaceId = await findWorkspace(db, served);
  if (workspaceId === undefined) return { result: "refused", reason: "not_invited" };
  await insertUser(db, workspaceId, { ...newcomer, role: newcomerRole, passwordHash: null }, now);
  const person = await personOf(db, newcomer.email, served);
  if (person === undefined) throw new Error("A person who has just joined was not found.");
  await markSignedIn(db, person, now);
  return { result: "admitted", person };
}

async function personOf(db: Db, email: string, served: { demo: boolean }): Promise<PersonRow | undefined> {
  const [found] = await findPeopleByEmail(db, email, served);
  if (found === undefined) return undefined;
  const { passwordHash: _, ...person } = found;
  return person;
}
