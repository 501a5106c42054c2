import { registerSecrets } from "#lib/log.ts";
import type { Authorization } from "#lib/zendesk/client.ts";
import type { Token } from "#lib/zendesk/oauth.ts";

/** API token: the legacy way, as that user with all of its rights. */
export function basic(email: string, token: string): Authorization {
  const value = Buffer.from(`${email}/token:${token}`).toString("base64");
  registerSecrets([token, value]);
  return { header: async () => `Basic ${value}`, renew: async () => null };
}

/** A token that is used as it is. */
export function bearer(token: Token): Authorization {
  return { header: async () => `Bearer ${token.accessToken}`, renew: async () => null };
}
