import type { Selectable } from "kysely";
import type { Db } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import type { Config } from "#lib/config.ts";
import type { ConnectionAuth } from "#lib/connections/shapes.ts";
import { registerSecrets } from "#lib/log.ts";
import { basic, bearer } from "#lib/zendesk/authorizations.ts";
import { type Authorization, ZendeskClient } from "#lib/zendesk/client.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { checkIdentity, type Identity } from "#lib/zendesk/identity.ts";
import { limiterOf, MemoryLimiter } from "#lib/zendesk/limits.ts";
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
  | "login_id"
  | "login_email"
  | "login_role"
>;
export interface Tried {
  identity: Identity;
  stored: StoredCredentials;
}

/** Tries credentials at once: an administrator's identity is required. Throws a ZendeskError that names what is wrong. */
export async function tryCredentials(
  ctx: Keys,
  attempt: { subdomain: string; auth: ConnectionAuth; access: Access; now: Date; options?: Partial<ClientOptions> },
): Promise<Tried> {
  const { auth, subdomain } = attempt;
  registerSecrets([auth.type === "api_token" ? auth.token : auth.clientSecret]);
  const site = siteOf(ctx.config, subdomain, attempt.options);
  const token =
    auth.type === "api_token"
      ? null
      : await clientCredentialsToken(
          site,
          { id: auth.clientId, secret: auth.clientSecret },
          attempt.access,
          attempt.now,
        );
  const authorization = auth.type === "api_token" ? basic(auth.email, auth.token) : bearer(token as Token);
  const identity = await identify(ctx, subdomain, authorization, attempt.options);
  const secret = sealedAuth(ctx, auth);
  return { identity, stored: { auth_type: auth.type, auth_secret: secret, ...sealed(ctx, token), ...login(identity) } };
}

/** The browser's way: a code for tokens, then the same as `tryCredentials`. */
export async function exchangeCode(
  ctx: Keys,
  grant: {
    subdomain: string;
    code: string;
    codeVerifier: string;
    redirectUri: string;
    access: Access;
    now: Date;
    options?: Partial<ClientOptions>;
  },
): Promise<Tried> {
  const token = await codeToken(siteOf(ctx.config, grant.subdomain, grant.options), grant, grant.now);
  const identity = await identify(ctx, grant.subdomain, bearer(token), grant.options);
  return { identity, stored: { auth_type: "oauth", auth_secret: null, ...sealed(ctx, token), ...login(identity) } };
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
  return new ZendeskClient({
    urlTemplate,
    isDefaultUrl,
    subdomain: connection.subdomain,
    authorization: storedAuthorization(
      ctx,
      connection,
      scope,
      siteOf(ctx.config, connection.subdomain, options),
      clock,
    ),
    limiter: limiterOf(ctx.db, scope, { documentedLimits: isDefaultUrl }),
    options,
  });
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
  options: Partial<ClientOptions> = {},
): Promise<Identity> {
  const { urlTemplate, isDefaultUrl } = ctx.config.zendesk;
  const limiter = new MemoryLimiter({ documentedLimits: false });
  const patient = { attempts: 3, longestSleep: 5000, patience: 20_000, ...options };
  const account = { urlTemplate, isDefaultUrl, subdomain, authorization, limiter, options: patient };
  const client = new ZendeskClient(account);
  try {
    return await checkIdentity(client);
  } catch (error) {
    throw error instanceof WaitNeeded ? busy(error) : error;
  } finally {
    await client.close();
  }
}

function busy(wait: WaitNeeded): ZendeskError {
  return new ZendeskError({
    code: "unavailable",
    message: `Zendesk's rate limit is used up: it asks to wait until ${wait.until.toISOString()}.`,
    action: "Try again then.",
    scope: "connection",
    about: "subdomain",
    transient: true,
  });
}

function siteOf(config: Pick<Config, "zendesk">, subdomain: string, options: Partial<ClientOptions> = {}): OauthSite {
  return { config, subdomain, ...(options.deadlines ? { deadlines: options.deadlines } : {}) };
}

function login(identity: Identity): Pick<Connection, "login_id" | "login_email" | "login_role"> {
  return { login_id: identity.id, login_email: identity.email, login_role: identity.role };
}
