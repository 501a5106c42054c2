import { setTimeout } from "node:timers/promises";
import type { Selectable } from "kysely";
import { type Db, inWorkspace } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import { basic } from "#lib/zendesk/authorizations.ts";
import type { Authorization } from "#lib/zendesk/client.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { type Access, clientCredentialsToken, type OauthSite, refreshedToken, type Token } from "#lib/zendesk/oauth.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { type Keys, openAuth, openToken, sealed, signInAgain } from "#lib/zendesk/sealing.ts";
import { lockSecrets, type StoredSecrets, saveToken } from "#lib/zendesk/store/tokens.ts";

type Connection = Selectable<ConnectionTable>;

/** Milliseconds; a database that is started anew is back by the last. */
const pausesBeforeKeeping = [50, 200, 1000, 3000, 8000];

/** Signs the requests of a stored connection, and renews its token when that is due. */
export function storedAuthorization(
  ctx: Keys & { db: Db },
  connection: Connection,
  scope: Scope,
  site: OauthSite,
  clock: () => Date,
): Authorization {
  if (connection.auth_type === "api_token") {
    const auth = openAuth(ctx, connection);
    if (auth.type === "api_token") return basic(auth.email, auth.token);
  }
  let held = connection.token_secret ? openToken(ctx, connection.token_secret) : null;
  const renewed = async (rejected: string | null): Promise<Token | null> => {
    held = await renewStored(ctx, site, scope, rejected, clock());
    return held;
  };
  return {
    async header() {
      const token = held && held.renewAt > clock() ? held : await renewed(null);
      if (!token) throw signInAgain();
      return `Bearer ${token.accessToken}`;
    },
    async renew(rejected) {
      const token = await renewed(rejected.replace(/^Bearer /, ""));
      return token && `Bearer ${token.accessToken}`;
    },
  };
}

/**
 * One renewal at a time for a connection, whatever the number of workers: who waited for the row takes what the one before
 * stored. The new pair is committed before anybody uses it (row 60).
 */
async function renewStored(
  ctx: Keys & { db: Db },
  site: OauthSite,
  scope: Scope,
  rejected: string | null,
  now: Date,
): Promise<Token | null> {
  const got: { token: Token; instead: string | null }[] = [];
  try {
    return await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
      const secrets = await lockSecrets(trx, scope);
      if (!secrets) throw signInAgain();
      const kept = secrets.token_secret ? openToken(ctx, secrets.token_secret) : null;
      if (kept && kept.renewAt > now && kept.accessToken !== rejected) return kept;
      const token = await newToken(ctx, site, secrets, kept, now);
      if (!token) return rejected === null ? kept : null;
      got.push({ token, instead: secrets.token_secret });
      await saveToken(trx, scope, sealed(ctx, token));
      return token;
    });
  } catch (error) {
    if (!got[0]) throw error;
    return keep(ctx, scope, got[0], error);
  }
}

/**
 * The pair that was stored is used up, and the new one is in nobody's hands but ours: a session of the database that ends
 * before the commit must not cost a person's signing in. Whoever signed in meanwhile stays.
 */
async function keep(
  ctx: Keys & { db: Db },
  scope: Scope,
  { token, instead }: { token: Token; instead: string | null },
  failed: unknown,
): Promise<Token> {
  for (const pause of pausesBeforeKeeping) {
    await setTimeout(pause);
    const kept = await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
      const secrets = await lockSecrets(trx, scope);
      if (!secrets) throw signInAgain();
      if (secrets.token_secret !== instead) return secrets.token_secret && openToken(ctx, secrets.token_secret);
      await saveToken(trx, scope, sealed(ctx, token));
      return token;
    }).catch((error: unknown) => {
      if (error instanceof ZendeskError) throw error;
      return null;
    });
    if (kept) return kept;
  }
  throw failed;
}

/** Null: an old token without an end, and no way to another one. */
async function newToken(
  ctx: Keys,
  site: OauthSite,
  secrets: StoredSecrets,
  kept: Token | null,
  now: Date,
): Promise<Token | null> {
  if (secrets.auth_type === "oauth") {
    if (!kept?.refreshToken) return null;
    const { refreshToken, refreshExpiresAt } = kept;
    const token = await refreshedToken(site, refreshToken, now);
    // An answer that brings no new one takes the old one back neither (RFC 6749, section 6).
    return token.refreshToken ? token : { ...token, refreshToken, refreshExpiresAt };
  }
  const auth = openAuth(ctx, secrets);
  if (auth.type === "api_token") return null;
  return clientCredentialsToken(site, { id: auth.clientId, secret: auth.clientSecret }, secrets.access as Access, now);
}
