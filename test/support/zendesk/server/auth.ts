import { hashText } from "../world/random.ts";
import type { User } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { Refusal, refusal, titledRefusal } from "./answer.ts";
import type { AccountRequest } from "./request.ts";

/** Who calls: nobody, or a user with all rights of the role, or with the scopes of a token. */
export interface Caller {
  user: User | null;
  scopes: readonly string[] | null;
}

export interface Demands {
  /** The resource of the granular scope; null when any living token may ask. */
  scope: string | null;
  admin?: boolean;
  /** Changes something: `write` reaches it, `read` does not. */
  write?: boolean;
}

const knownScopes = /^(read|write|impersonate|[a-z_]+:(read|write))$/;

/**
 * Reads the credentials. A wrong API token or Bearer is refused; no credentials, or a password, is nobody, which
 * only `users/me` accepts.
 */
export function identify(request: AccountRequest): Caller {
  const { authorization } = request.headers;
  const [, scheme = "", value = ""] = /^(\w+)\s+(.*)$/.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return identifyBearer(request.world, value);
  if (scheme.toLowerCase() !== "basic") return { user: null, scopes: null };
  return identifyBasic(request.world, Buffer.from(value, "base64").toString("utf8"));
}

function identifyBearer(world: World, value: string): Caller {
  const token = world.access.find(value);
  const user = token && world.users.byId.get(token.userId);
  if (token === undefined || user === undefined) {
    const description = "The access token provided is expired, revoked, malformed or invalid for other reasons.";
    throw new Refusal({ status: 401, json: { error: "invalid_token", error_description: description } });
  }
  return { user, scopes: token.scopes };
}

function identifyBasic(world: World, pair: string): Caller {
  const colon = pair.indexOf(":");
  const name = pair.slice(0, colon);
  const password = pair.slice(colon + 1);
  if (!name.endsWith("/token")) return { user: null, scopes: null };
  const email = name.slice(0, -"/token".length).toLowerCase();
  const user = world.users.findByEmail(email);
  if (user === undefined || !world.access.apiTokens.has(password)) throw unauthenticated();
  return { user, scopes: null };
}

export function unauthenticated(): Refusal {
  return refusal(401, "Couldn't authenticate you");
}

/** Refuses what the caller's scopes or role do not reach. */
export function authorize(world: World, caller: Caller, demands: Demands): void {
  const { user, scopes } = caller;
  if (user === null) throw unauthenticated();
  const right = demands.write ? "write" : "read";
  if (scopes !== null && demands.scope !== null && !reaches(scopes, demands.scope, right)) {
    throw refusal(403, "Forbidden", `You are missing the following required scopes: ${right}`);
  }
  if (user.role === "end-user") throw titledRefusal(403, "Forbidden", "You do not have access to this page.");
  if (demands.admin && user.role !== "admin" && world.settings.agentSees === "forbidden") {
    throw titledRefusal(403, "Forbidden", "You do not have access to this page. Please contact the account owner.");
  }
}

function reaches(scopes: readonly string[], resource: string, right: "read" | "write"): boolean {
  if (!scopes.every((scope) => knownScopes.test(scope))) return false;
  return scopes.includes(right) || scopes.includes(`${resource}:${right}`);
}

/** Whether this caller is shown a row: all of them, or a share for an agent where the account hides the rest. */
export function isVisible(world: World, caller: Caller, id: string): boolean {
  const { agentSees } = world.settings;
  if (caller.user?.role === "admin" || agentSees === "forbidden") return true;
  return hashText(id) % 100 < agentSees * 100;
}
