import { wireId } from "../wire/json.ts";
import { anonymousUser, userRow } from "../wire/people.ts";
import type { AccessToken } from "../world/access.ts";
import { type Answer, ok, recordNotFound, refusal } from "./answer.ts";
import { unauthenticated } from "./auth.ts";
import type { AccountRequest } from "./request.ts";
import type { Call, Route } from "./routes.ts";

/** Who am I: the user behind the credentials, and the token itself. */
export const meRoutes: Route[] = [
  {
    method: "GET",
    path: "/users/me",
    demands: "open",
    answer: ({ request, caller }) => {
      if (caller.user === null) return ok({ user: anonymousUser(request.base) });
      if (caller.scopes !== null && !caller.scopes.some((scope) => ["read", "users:read"].includes(scope))) {
        throw refusal(403, "Forbidden", "You are missing the following required scopes: read");
      }
      return ok({ user: { ...userRow(request.world, request.base, caller.user), authenticity_token: "" } });
    },
  },
  {
    method: "GET",
    path: "/oauth/tokens/current",
    demands: "open",
    answer: (call) => {
      const token = currentToken(call);
      return ok({ token: tokenRow(call.request, token) });
    },
  },
  { method: "DELETE", path: "/oauth/tokens/{id}", demands: "open", answer: revokeToken },
];

function revokeToken(call: Call): Answer {
  const own = currentToken(call);
  const { id } = call.params;
  const token = id === "current" ? own : call.request.world.access.tokens.find((candidate) => candidate.id === id);
  if (token === undefined) throw recordNotFound();
  token.revoked = true;
  return { status: 204 };
}

function currentToken({ request, caller }: Call): AccessToken {
  const bearer = /^bearer\s+(.*)$/i.exec(request.headers.authorization ?? "")?.[1];
  const token = bearer === undefined ? undefined : request.world.access.find(bearer);
  if (caller.user === null) throw unauthenticated();
  if (token === undefined) throw recordNotFound();
  return token;
}

function tokenRow(request: AccountRequest, token: AccessToken): Record<string, unknown> {
  const iso = (instant: number | null): string | null => (instant === null ? null : new Date(instant).toISOString());
  return {
    url: `${request.base}/api/v2/oauth/tokens/${token.id}.json`,
    id: wireId(token.id),
    user_id: wireId(token.userId),
    client_id: null,
    token: token.accessToken.slice(0, 10),
    refresh_token: token.refreshToken?.slice(0, 10) ?? null,
    created_at: iso(token.createdAt),
    expires_at: iso(token.expiresAt),
    used_at: iso(request.world.now()),
    scopes: token.scopes,
  };
}
