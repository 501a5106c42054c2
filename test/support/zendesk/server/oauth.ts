import { type AccessToken, type OAuthClient, OAuthError } from "../world/access.ts";
import type { World } from "../world/world.ts";
import { type Answer, htmlPage, invalidEndpoint, ok, Refusal } from "./answer.ts";
import type { AccountRequest } from "./request.ts";

/** `/oauth/authorizations/new`, whose person agrees at once, and `/oauth/tokens`. */
export function answerOAuth(request: AccountRequest): Answer {
  if (request.method === "GET" && request.path === "/oauth/authorizations/new") return authorizeClient(request);
  if (request.method === "POST" && request.path === "/oauth/tokens") return issueTokens(request);
  throw invalidEndpoint();
}

/** Sends the browser back with a code; `?deny` in the address, or `access.denies`, sends it back with a refusal. */
function authorizeClient(request: AccountRequest): Answer {
  const { world, query } = request;
  const client = world.access.clients.get(query.get("client_id") ?? "");
  const redirectUri = query.get("redirect_uri") ?? "";
  if (client === undefined) return htmlPage(400, "Invalid authorization request: no such client exists");
  if (!accepts(client, redirectUri)) return htmlPage(400, "Invalid authorization request: invalid redirect_uri");
  const back = new URL(redirectUri);
  const state = query.get("state");
  if (state !== null) back.searchParams.set("state", state);
  if (world.access.denies || query.has("deny")) {
    back.searchParams.set("error", "access_denied");
    back.searchParams.set("error_description", "The end-user or authorization server denied the request.");
    return { status: 302, headers: { location: back.href } };
  }
  const challenge = query.get("code_challenge");
  if (challenge !== null && query.get("code_challenge_method") !== "S256") {
    return htmlPage(400, "Invalid authorization request: only S256 is known");
  }
  const scopes = splitScopes(query.get("scope") ?? "read").filter(
    (scope) => world.access.allowsOnly?.includes(scope) ?? true,
  );
  const code = world.access.issueCode({ clientIdentifier: client.identifier, redirectUri, scopes, challenge });
  back.searchParams.set("code", code);
  return { status: 302, headers: { location: back.href } };
}

function accepts(client: OAuthClient, redirectUri: string): boolean {
  return URL.canParse(redirectUri) && (client.redirectUris.includes("*") || client.redirectUris.includes(redirectUri));
}

interface TokenBody {
  grant_type?: unknown;
  client_id?: unknown;
  client_secret?: unknown;
  code?: unknown;
  redirect_uri?: unknown;
  code_verifier?: unknown;
  refresh_token?: unknown;
  scope?: unknown;
  expires_in?: unknown;
  refresh_token_expires_in?: unknown;
}

function issueTokens(request: AccountRequest): Answer {
  try {
    return ok(tokenBody(request.world, grant(request.world, readForm(request))));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    throw new Refusal({ status: error.status, json: { error: error.code, error_description: error.message } });
  }
}

function grant(world: World, body: TokenBody): AccessToken {
  const client = knownClient(world, body);
  const lifetimes = {
    expiresIn: lifetime(body.expires_in, 300, 172_800),
    refreshTokenExpiresIn: lifetime(body.refresh_token_expires_in, 604_800, 7_776_000),
  };
  if (body.grant_type === "authorization_code") {
    const code = world.access.exchangeCode(client, {
      code: String(body.code ?? ""),
      redirectUri: String(body.redirect_uri ?? ""),
      ...(body.code_verifier !== undefined && { verifier: String(body.code_verifier) }),
    });
    return world.access.issueToken(client, { scopes: code.scopes, refreshable: true, ...lifetimes });
  }
  if (body.grant_type === "refresh_token") {
    const scopes = body.scope === undefined ? {} : { scopes: splitScopes(body.scope) };
    return world.access.refresh(client, String(body.refresh_token ?? ""), { ...scopes, ...lifetimes });
  }
  if (body.grant_type !== "client_credentials") {
    throw new OAuthError("unsupported_grant_type", "The authorization grant type is not supported");
  }
  if (client.secret === null) throw new OAuthError("invalid_client", "A public client has no credentials");
  return world.access.issueToken(client, {
    scopes: splitScopes(body.scope ?? "read"),
    refreshable: false,
    ...lifetimes,
  });
}

function knownClient(world: World, body: TokenBody): OAuthClient {
  const client = world.access.clients.get(String(body.client_id ?? ""));
  const wrongSecret = client?.secret != null && client.secret !== body.client_secret;
  if (client === undefined || wrongSecret) {
    throw new OAuthError("invalid_client", "Client authentication failed due to an unknown client or a wrong secret");
  }
  return client;
}

function tokenBody(world: World, token: AccessToken): Record<string, unknown> {
  return {
    access_token: token.accessToken,
    ...(token.refreshToken !== null && { refresh_token: token.refreshToken }),
    token_type: "bearer",
    scope: token.scopes.join(" "),
    expires_in: world.access.secondsLeft(token.expiresAt),
    refresh_token_expires_in: world.access.secondsLeft(token.refreshExpiresAt),
  };
}

function readForm(request: AccountRequest): TokenBody {
  const text = request.body.toString("utf8");
  const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  if (isForm) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as TokenBody;
  } catch {
    throw new OAuthError("invalid_request", "The body is not JSON");
  }
}

/** Anything but text becomes a scope that nothing has, as Zendesk issues such a token and then refuses every call. */
function splitScopes(scope: unknown): string[] {
  return typeof scope === "string" ? scope.split(" ").filter(Boolean) : [JSON.stringify(scope)];
}

/** Seconds within the documented bounds. Tests that need shorter lives set those of `access`. */
function lifetime(value: unknown, least: number, most: number): number | null {
  if (value === undefined || value === null) return null;
  const seconds = Number(value);
  if (!Number.isInteger(seconds) || seconds < least || seconds > most) {
    throw new OAuthError("invalid_request", `A lifetime lies between ${least} and ${most} seconds`);
  }
  return seconds;
}
