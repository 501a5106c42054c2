import type { Selectable } from "kysely";
import type { ConnectionTable } from "#db/schema.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { cleanText } from "#lib/zendesk/text.ts";

/** Whose eyes we read with. */
export interface Identity {
  id: string;
  email: string | null;
  name: string | null;
  role: string;
}

/**
 * Asks who is signed in and requires an administrator. Zendesk answers 200 with an anonymous user to credentials it does
 * not take, so an id is required too. Throws a ZendeskError with the remedy.
 */
export async function checkIdentity(client: ZendeskClient): Promise<Identity> {
  const identity = await whoAmI(client);
  if (identity.role === "admin") return identity;
  throw new ZendeskError({
    code: "not_administrator",
    message: `${identity.email ?? identity.id} is not an administrator of this Zendesk but ${identity.role || "something else"}.`,
    action: "Connect with an administrator's login, or make this one an administrator.",
    scope: "connection",
    about: "auth",
  });
}

/** As `checkIdentity`, whatever the role. */
export async function whoAmI(client: ZendeskClient): Promise<Identity> {
  const { user } = (await askMe(client)).body;
  const { id, email, name, role } = isObject(user) ? user : {};
  if ((typeof id !== "number" && typeof id !== "string") || id === "") throw anonymous();
  return {
    id: String(id),
    email: typeof email === "string" ? cleanText(email) : null,
    name: typeof name === "string" ? cleanText(name) : null,
    role: typeof role === "string" ? cleanText(role) : "",
  };
}

async function askMe(client: ZendeskClient) {
  try {
    return await client.get("/api/v2/users/me", { expect: "user" });
  } catch (error) {
    if (!(error instanceof ZendeskError)) throw error;
    throw error.code === "not_found" ? unknownAccount(error, client) : asConnectionFailure(error);
  }
}

/** A role that is not an administrator's any more leaves lists quietly shorter: nothing may be removed then (row 63). */
export function isDowngraded(identity: Identity, connection: Pick<Selectable<ConnectionTable>, "login_role">): boolean {
  return identity.role !== "admin" && connection.login_role !== identity.role;
}

/** The account behind the subdomain must be the one that was connected (rows 32, 64). */
export function checkSameAccount(
  identity: Identity,
  connection: Pick<Selectable<ConnectionTable>, "login_id" | "login_email" | "subdomain">,
): void {
  const sameId = connection.login_id === null || connection.login_id === identity.id;
  const sameEmail =
    connection.login_email === null || connection.login_email.toLowerCase() === identity.email?.toLowerCase();
  if (sameId && sameEmail) return;
  throw new ZendeskError({
    code: "different_account",
    message: `The login at ${connection.subdomain} is ${identity.email ?? identity.id}, not ${connection.login_email ?? connection.login_id} as when it was connected.`,
    action: "If this is still your Zendesk, reconnect to confirm it; if not, archive this connection.",
    scope: "connection",
    about: "auth",
  });
}

/** Asks who is signed in, and throws unless that is whom the connection was made with: before anything is written (row 64). */
export async function requireOurAccount(
  client: ZendeskClient,
  connection: Parameters<typeof checkSameAccount>[1],
): Promise<void> {
  checkSameAccount(await whoAmI(client), connection);
}

/**
 * Whether answers are still given to whom the connection was made with, with the rights of then: asked before a 404 is
 * believed, since a login that sees less gets one for every row that is hidden from it (rows 30, 63).
 */
export async function seesEverything(
  client: ZendeskClient,
  connection: Parameters<typeof checkSameAccount>[1] & Parameters<typeof isDowngraded>[1],
): Promise<boolean> {
  const identity = await whoAmI(client);
  checkSameAccount(identity, connection);
  return !isDowngraded(identity, connection);
}

/**
 * Asks again who answers, before the last page of a reading is believed: rights that fell while it went on leave lists
 * shorter, and another account's rows are none of ours (rows 63, 64). Throws for another account.
 */
export async function lookAgain(reading: {
  client: ZendeskClient;
  connection: Parameters<typeof checkSameAccount>[1] & Parameters<typeof isDowngraded>[1];
  identity: Identity;
  downgraded: boolean;
}): Promise<void> {
  const identity = await whoAmI(reading.client);
  checkSameAccount(identity, reading.connection);
  reading.identity = identity;
  reading.downgraded ||= isDowngraded(identity, reading.connection);
}

/**
 * An exchange that broke may be that of one address alone: where Zendesk still says who is signed in, what was not answered
 * is one stream's, and the others go on (rows 62, 72). Anything else is given back as it is.
 */
export async function narrowed(reading: Parameters<typeof lookAgain>[0], error: unknown): Promise<unknown> {
  if (!(error instanceof ZendeskError) || error.code !== "unreachable" || error.scope === "stream") return error;
  const refusal = await lookAgain(reading).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  // To wait is no failure, and another account is more than one.
  if (refusal instanceof WaitNeeded || (refusal instanceof ZendeskError && refusal.code === "different_account"))
    return refusal;
  if (refusal) return error;
  return new ZendeskError({
    code: error.code,
    message: `Zendesk answers, but not what was asked here: ${(error.cause as Error).message}.`,
    action: "Nothing to do: reading resumes with the next run. If it lasts, ask Zendesk support.",
    scope: "stream",
    transient: true,
    cause: error,
  });
}

/** The role has fallen while something was asked for. */
export function sightLost(): ZendeskError {
  return new ZendeskError({
    code: "not_administrator",
    message: "The login sees less than when this was connected, so what it does not find is not taken for gone.",
    action: "Make the login an administrator again, or reconnect as another.",
    scope: "stream",
    about: "auth",
  });
}

/** Failures after which what answers under the subdomain may be anybody's. */
export const foreignCodes: readonly string[] = [
  "different_account",
  "account_moved",
  "unknown_subdomain",
  "not_zendesk",
];

/** Failures after which only a person's new login helps. */
export const lostLoginCodes: readonly string[] = ["reconnect", "credentials_rejected"];

function anonymous(): ZendeskError {
  return new ZendeskError({
    code: "credentials_rejected",
    message: "Zendesk does not know these credentials: it answers as to an anonymous visitor.",
    action: "Check the e-mail and the token, or the OAuth client, and enter them again.",
    scope: "connection",
    about: "auth",
  });
}

function unknownAccount(cause: ZendeskError, client: ZendeskClient): ZendeskError {
  return new ZendeskError({
    code: "unknown_subdomain",
    message: `No Zendesk account answers at ${client.base}.`,
    action: "Check the subdomain; if the account was suspended or cancelled, reactivate it.",
    scope: "connection",
    about: "subdomain",
    transient: true,
    cause,
  });
}

function asConnectionFailure(error: ZendeskError): ZendeskError {
  if (error.scope === "connection") return error;
  const { code, message, action, transient } = error;
  const about = error.about ?? "auth";
  return new ZendeskError({ code, message, action, transient, about, scope: "connection", cause: error });
}
