import type { ConnectionAuth, ConnectionBody } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";
import { normalizeSubdomain } from "#lib/zendesk/address.ts";
import { type StoredCredentials, tryCredentials } from "#lib/zendesk/credentials.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import type { Identity } from "#lib/zendesk/identity.ts";

export interface Login {
  identity: Identity;
  stored: StoredCredentials;
}

/** The subdomain that was meant, from a name, a host or a pasted address. Throws `invalid` under `subdomain`. */
export function readSubdomain(typed: string): string {
  try {
    return normalizeSubdomain(typed);
  } catch (error) {
    throw refusal(error);
  }
}

/** Tries a login at once: an administrator's identity is required. Throws `invalid` naming the wrong entry and the remedy. */
export async function tryLogin(
  ctx: Pick<Context, "config" | "db" | "log">,
  attempt: { subdomain: string; auth: ConnectionAuth; access: ConnectionBody["access"] },
  now: Date,
): Promise<Login> {
  try {
    return await tryCredentials(ctx, { ...attempt, now });
  } catch (error) {
    throw refusal(error, attempt.auth.type);
  }
}

/**
 * What a failed login says to the caller: which entry is wrong and what to do. Only where Zendesk gave no answer that
 * anything could be learned from it is `upstream`, so that the same request may simply be sent again.
 */
export function refusal(error: unknown, authType?: ConnectionAuth["type"]): unknown {
  if (error instanceof WaitNeeded) {
    return new AppError("upstream", `${error.message}: Zendesk takes no requests before. Try again then.`, {
      cause: error,
    });
  }
  if (!(error instanceof ZendeskError)) return error;
  const message = `${error.message} ${error.action}`;
  if (error.transient && error.about === undefined) return new AppError("upstream", message, { cause: error });
  return new AppError("invalid", message, { details: [{ path: pathOf(error, authType), message }], cause: error });
}

function pathOf(error: ZendeskError, authType: ConnectionAuth["type"] | undefined): string {
  if (error.about === "subdomain") return "subdomain";
  if (error.code !== "credentials_rejected") return "auth";
  if (authType === "api_token") return "auth.token";
  return authType === "oauth_client_credentials" ? "auth.clientSecret" : "auth";
}
