import type { Selectable } from "kysely";
import type { ConnectionTable } from "#db/schema.ts";
import { decrypt, encrypt } from "#lib/auth/encryption.ts";
import type { Config } from "#lib/config.ts";
import type { ConnectionAuth } from "#lib/connections/shapes.ts";
import { registerSecrets } from "#lib/log.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Token } from "#lib/zendesk/oauth.ts";

/** What sealing and opening needs of a context. */
export type Keys = { config: Pick<Config, "zendesk" | "secrets"> };
type Connection = Selectable<ConnectionTable>;

/** What a person entered, as a connection keeps it. */
export function sealedAuth(ctx: Keys, auth: ConnectionAuth): string {
  return encrypt(ctx.config.secrets.encryption, JSON.stringify(auth));
}

/** A token as a connection keeps it. */
export function sealed(
  ctx: Keys,
  token: Token | null,
): Pick<Connection, "token_secret" | "token_expires_at" | "scopes" | "login_ends_at"> {
  if (!token) return { token_secret: null, token_expires_at: null, scopes: null, login_ends_at: null };
  const secret = encrypt(ctx.config.secrets.encryption, JSON.stringify(token));
  const { expiresAt, scopes, refreshExpiresAt } = token;
  return { token_secret: secret, token_expires_at: expiresAt, scopes, login_ends_at: refreshExpiresAt };
}

export function openToken(ctx: Keys, secret: string): Token {
  const token = JSON.parse(decrypt(ctx.config.secrets.encryption, secret)) as Token;
  registerSecrets([token.accessToken, ...(token.refreshToken ? [token.refreshToken] : [])]);
  return {
    ...token,
    refreshExpiresAt: token.refreshExpiresAt ? new Date(token.refreshExpiresAt) : null,
    expiresAt: new Date(token.expiresAt),
    renewAt: new Date(token.renewAt),
  };
}

export function openAuth(ctx: Keys, secrets: Pick<Connection, "auth_secret">): ConnectionAuth {
  if (!secrets.auth_secret) throw signInAgain();
  const auth = JSON.parse(decrypt(ctx.config.secrets.encryption, secrets.auth_secret)) as ConnectionAuth;
  registerSecrets([auth.type === "api_token" ? auth.token : auth.clientSecret]);
  return auth;
}

/** Nothing to sign in with: only a person can help. */
export function signInAgain(): ZendeskError {
  return new ZendeskError({
    code: "reconnect",
    message: "This connection has no credentials any more.",
    action: "Reconnect this Zendesk; the stored data and the place of reading stay.",
    scope: "connection",
    about: "auth",
  });
}
