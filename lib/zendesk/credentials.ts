import type { Selectable } from "kysely";
import type { Db } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import { machineClock } from "#lib/clock.ts";
import type { Config } from "#lib/config.ts";
import type { ConnectionAuth } from "#lib/connections/shapes.ts";
import { registerSecrets } from "#lib/log.ts";
import { instantWords } from "#lib/time-words.ts";
import { baseUrl } from "#lib/zendesk/address.ts";
import { basic, bearer } from "#lib/zendesk/authorizations.ts";
import { type Authorization, ZendeskClient } from "#lib/zendesk/client.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { checkIdentity, type Identity } from "#lib/zendesk/identity.ts";
import { DatabaseLimiter, withoutTurns } from "#lib/zendesk/limits.ts";
import {
  type Access,
  clientCredentialsToken,
  codeToken,
  type OauthSite,
  revokeAccessToken,
  type Token,
} from "#lib/zendesk/oauth.ts";
import { type Keys, openToken, sealed, sealedAuth } from "#lib/zendesk/sealing.ts";
import { storedAuthorization } from "#lib/zendesk/stored-token.ts";

type Connection = Selectable<ConnectionTable>;

/** What a connection keeps of its sign-in: secrets sealed, the identity in the open. */
export type StoredCredentials = Pick<
  Connection,
  | "auth_type"
  | "auth_secret"
  | "token_secret"
  | "token_expires_at"
  | "scopes"
  | "login_ends_at"
  | "login_id"
  | "login_email"
  | "login_role"
>;
export interface Tried {
  identity: Identity;
  stored: StoredCredentials;
}

interface Attempt {
  subdomain: string;
  access: Access;
  now: Date;
  options?: Partial<ClientOptions>;
}

/** Tries credentials at once: an administrator's identity is required. Throws a ZendeskError that names what is wrong. */
export async function tryCredentials(
  ctx: Keys & { db: Db },
  attempt: Attempt & { auth: ConnectionAuth },
): Promise<Tried> {
  return counting(limiterOf(ctx, attempt.subdomain, attempt.options), (limiter) => tryOnce(ctx, attempt, limiter));
}

async function tryOnce(
  ctx: Keys,
  attempt: Attempt & { auth: ConnectionAuth },
  limiter: DatabaseLimiter,
): Promise<Tried> {
  const { auth, subdomain } = attempt;
  registerSecrets([auth.type === "api_token" ? auth.token : auth.clientSecret]);
  const site = siteOf(ctx.config, subdomain, attempt.options, limiter);
  const token =
    auth.type === "api_token"
      ? null
      : await clientCredentialsToken(
          site,
          { id: auth.clientId, secret: auth.clientSecret },
          attempt.access,
          attempt.now,
        ).catch(withoutWaiting);
  const authorization = auth.type === "api_token" ? basic(auth.email, auth.token) : bearer(token as Token);
  const identity = await identify(ctx, subdomain, authorization, limiter, attempt.options);
  const secret = sealedAuth(ctx, auth);
  return { identity, stored: { auth_type: auth.type, auth_secret: secret, ...sealed(ctx, token), ...login(identity) } };
}

/** The browser's way: a code for tokens, then the same as `tryCredentials`. */
export async function exchangeCode(
  ctx: Keys & { db: Db },
  grant: Attempt & { code: string; codeVerifier: string; redirectUri: string },
): Promise<Tried> {
  return counting(limiterOf(ctx, grant.subdomain, grant.options), async (limiter) => {
    const site = siteOf(ctx.config, grant.subdomain, grant.options, limiter);
    const token = await codeToken(site, grant, grant.now).catch(withoutWaiting);
    const identity = await identify(ctx, grant.subdomain, bearer(token), limiter, grant.options);
    return { identity, stored: { auth_type: "oauth", auth_secret: null, ...sealed(ctx, token), ...login(identity) } };
  });
}

/** A client of a stored connection. It renews its token by itself, under the connection's row lock. */
export function openClient(
  ctx: Keys & { db: Db },
  connection: Connection,
  options: Partial<ClientOptions> = {},
): ZendeskClient {
  const { urlTemplate, isDefaultUrl } = ctx.config.zendesk;
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  const { clock } = { ...defaultClientOptions, ...options };
  const limiter = limiterOf(ctx, connection.subdomain, options);
  return new ZendeskClient({
    urlTemplate,
    isDefaultUrl,
    subdomain: connection.subdomain,
    authorization: storedAuthorization(
      ctx,
      connection,
      scope,
      siteOf(ctx.config, connection.subdomain, options, limiter),
      clock,
    ),
    limiter,
    options,
  });
}

/** Renews the stored access token now, the way a run does when it is due. Throws a ZendeskError where Zendesk gives none. */
export async function renewToken(ctx: Keys & { db: Db }, connection: Connection, now: Date): Promise<void> {
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  await counting(limiterOf(ctx, connection.subdomain), async (limiter) => {
    const site = siteOf(ctx.config, connection.subdomain, {}, limiter);
    const authorization = storedAuthorization(ctx, connection, scope, site, () => now);
    await authorization.renew(await authorization.header());
  });
}

/** Whether what is stored suffices for another access token without a person. */
export function canRenew(ctx: Keys, connection: Connection): boolean {
  if (connection.auth_type === "oauth_client_credentials") return true;
  return connection.token_secret !== null && openToken(ctx, connection.token_secret).refreshToken !== null;
}

/** Takes the connection's access token back at Zendesk (row 121). Never throws; false when Zendesk did not confirm. */
export async function revokeToken(ctx: Keys, connection: Connection): Promise<boolean> {
  if (!connection.token_secret) return true;
  try {
    const token = openToken(ctx, connection.token_secret);
    return await revokeAccessToken(siteOf(ctx.config, connection.subdomain), token.accessToken);
  } catch {
    return false;
  }
}

async function identify(
  ctx: Keys,
  subdomain: string,
  authorization: Authorization,
  limiter: DatabaseLimiter,
  options: Partial<ClientOptions> = {},
): Promise<Identity> {
  const { urlTemplate, isDefaultUrl } = ctx.config.zendesk;
  const patient = { attempts: 3, longestSleep: 5000, patience: 20_000, ...options };
  const client = new ZendeskClient({
    urlTemplate,
    isDefaultUrl,
    subdomain,
    authorization,
    limiter: withoutTurns(limiter),
    options: patient,
  });
  try {
    return await checkIdentity(client).catch(withoutWaiting);
  } finally {
    await client.close();
  }
}

/** Where a person waits for the answer, a wait is a failure. */
function withoutWaiting(error: unknown): never {
  if (!(error instanceof WaitNeeded)) throw error;
  throw new ZendeskError({
    code: "unavailable",
    message: `Zendesk's rate limit is used up: it asks to wait until ${instantWords(error.until)}.`,
    action: "Try again then.",
    scope: "connection",
    about: "subdomain",
    transient: true,
  });
}

/** What was sent to sign in is counted as ours, however it ended. */
async function counting<T>(limiter: DatabaseLimiter, work: (limiter: DatabaseLimiter) => Promise<T>): Promise<T> {
  try {
    return await work(limiter);
  } finally {
    await limiter.countSent();
  }
}

function limiterOf(
  { config, db }: Pick<Keys, "config"> & { db: Db },
  subdomain: string,
  options: Partial<ClientOptions> = {},
): DatabaseLimiter {
  const { urlTemplate, isDefaultUrl } = config.zendesk;
  const { clock } = { ...defaultClientOptions, ...options };
  return new DatabaseLimiter(db, baseUrl(urlTemplate, subdomain), {
    documentedLimits: isDefaultUrl,
    clock: clock === machineClock ? null : clock,
  });
}

/** `limiter`: where its requests are counted. */
function siteOf(
  config: Pick<Config, "zendesk">,
  subdomain: string,
  options: Partial<ClientOptions> = {},
  limiter?: DatabaseLimiter,
): OauthSite {
  const { deadlines, sleep } = options;
  const sent = limiter && { sent: () => limiter.sent() };
  return { config, subdomain, ...sent, ...(deadlines ? { deadlines } : {}), ...(sleep ? { sleep } : {}) };
}

function login(identity: Identity): Pick<Connection, "login_id" | "login_email" | "login_role"> {
  return { login_id: identity.id, login_email: identity.email, login_role: identity.role };
}
