import { createHash, randomBytes } from "node:crypto";
import type { Config } from "#lib/config.ts";
import { registerSecrets } from "#lib/log.ts";
import { baseUrl } from "#lib/zendesk/address.ts";
import { isObject, parseBody } from "#lib/zendesk/answers.ts";
import { defaultClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { parseHttpDate } from "#lib/zendesk/http-date.ts";
import { isPassing, refused } from "#lib/zendesk/oauth-failures.ts";
import { backoff, parseRetryAfter } from "#lib/zendesk/retry-after.ts";
import { type Deadlines, type HttpAnswer, Transport, TransportError } from "#lib/zendesk/transport.ts";

/** An access token and what came with it. Zendesk says 30 minutes where it says nothing (row 59). */
export interface Token {
  accessToken: string;
  refreshToken: string | null;
  /** Until then the refresh token is good, where Zendesk says so. */
  refreshExpiresAt: Date | null;
  scopes: string[] | null;
  expiresAt: Date;
  /** From then on a new one is asked for ahead of need. */
  renewAt: Date;
}

export type Access = "read" | "read_write";
const scopesOf: Record<Access, string> = { read: "read", read_write: "read write" };

export interface OauthSite {
  config: Pick<Config, "zendesk">;
  subdomain: string;
  deadlines?: Partial<Deadlines>;
  sleep?: (milliseconds: number) => Promise<void>;
  /** Told of every request, which the account's budget counts like any other. */
  sent?: () => void;
}

type Grant =
  | { grant_type: "client_credentials"; scope: string }
  | { grant_type: "authorization_code"; code: string; code_verifier: string; redirect_uri: string; scope: string }
  | { grant_type: "refresh_token"; refresh_token: string };
export interface OauthClient {
  id: string;
  secret: string;
}

const assumedLifetime = 30 * 60;
/** No token lives so long (zendesk-api section 1.3): what is told beyond may be no instant at all. Seconds. */
const longestLifetime = 365 * 86_400;
const attempts = 3;
/** A renewal holds the connection's row while it asks (row 60): short exchanges, and 20 s for all of them. Milliseconds. */
const deadlines: Deadlines = { connect: 5000, headers: 8000, idle: 5000, total: 8000 };
const patience = 20_000;
/** A person waits for the answer to "disconnect". */
const revokeDeadlines: Deadlines = { connect: 3000, headers: 5000, idle: 3000, total: 5000 };

/** Where a person is sent to say yes (authorization code with PKCE). */
export function authorizationUrl(
  config: Pick<Config, "zendesk">,
  ask: { subdomain: string; state: string; codeChallenge: string; redirectUri: string; access: Access },
): string {
  if (!config.zendesk.client) throw noClient();
  const query = new URLSearchParams({
    response_type: "code",
    client_id: config.zendesk.client.id,
    redirect_uri: ask.redirectUri,
    scope: scopesOf[ask.access],
    state: ask.state,
    code_challenge: ask.codeChallenge,
    code_challenge_method: "S256",
  });
  return `${baseUrl(config.zendesk.urlTemplate, ask.subdomain)}/oauth/authorizations/new?${query}`;
}

/** A PKCE verifier (RFC 7636) and its S256 challenge. */
export function newVerifier(): { verifier: string; challenge: string } {
  const verifier = randomBytes(48).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

export function clientCredentialsToken(
  site: OauthSite,
  client: OauthClient,
  access: Access,
  now: Date,
): Promise<Token> {
  return requestToken(site, client, { grant_type: "client_credentials", scope: scopesOf[access] }, now);
}

export function codeToken(
  site: OauthSite,
  grant: { code: string; codeVerifier: string; redirectUri: string; access: Access },
  now: Date,
): Promise<Token> {
  const body = {
    grant_type: "authorization_code" as const,
    code: grant.code,
    code_verifier: grant.codeVerifier,
    redirect_uri: grant.redirectUri,
    scope: scopesOf[grant.access],
  };
  return requestToken(site, configuredClient(site.config), body, now);
}

/** Both tokens rotate: the answer must be stored before it is used. */
export function refreshedToken(site: OauthSite, refreshToken: string, now: Date): Promise<Token> {
  const grant = { grant_type: "refresh_token" as const, refresh_token: refreshToken };
  return requestToken(site, configuredClient(site.config), grant, now);
}

/** Takes an access token back. False when Zendesk did not confirm it. */
export async function revokeAccessToken(site: OauthSite, accessToken: string): Promise<boolean> {
  const { transport, base } = open({ ...site, deadlines: { ...revokeDeadlines, ...site.deadlines } });
  try {
    const headers = { authorization: `Bearer ${accessToken}`, accept: "application/json" };
    const url = `${base}/api/v2/oauth/tokens/current`;
    const answer = await transport.request({ method: "DELETE", url, headers });
    return (answer.status >= 200 && answer.status < 300) || answer.status === 401;
  } catch {
    return false;
  } finally {
    await transport.close();
  }
}

/** Throws a ZendeskError, or WaitNeeded where Zendesk asks to wait longer than a renewal may take. */
async function requestToken(site: OauthSite, client: OauthClient, grant: Grant, now: Date): Promise<Token> {
  registerSecrets([client.secret]);
  if ("code" in grant) registerSecrets([grant.code, grant.code_verifier]);
  const { transport, base } = open(site);
  const headers = { "content-type": "application/json", accept: "application/json" };
  const body = JSON.stringify({ ...grant, client_id: client.id, client_secret: client.secret });
  const { sleep } = { ...defaultClientOptions, ...site };
  const exchange = { ...deadlines, ...site.deadlines }.total;
  const started = performance.now();
  try {
    for (let attempt = 1; ; attempt++) {
      site.sent?.();
      const answer = await transport
        .request({ method: "POST", url: `${base}/oauth/tokens`, headers, body })
        .catch((error: unknown) => (error instanceof TransportError ? error : Promise.reject(error)));
      if (!(answer instanceof TransportError)) {
        const token = answer.status >= 200 && answer.status < 300 ? readToken(answer, now) : null;
        if (token) return token;
      }
      const pause = Math.max(backoff(attempt, Math.random()) / 2, toldToWait(answer, now));
      const isLast = attempt >= attempts || performance.now() - started + pause + exchange > patience;
      if (isLast && !(answer instanceof TransportError) && answer.status === 429) {
        throw new WaitNeeded(new Date(now.getTime() + performance.now() - started + pause));
      }
      // A code is good for one token: the second answer would only say that it is used up.
      const isSpent = "code" in grant && !(answer instanceof TransportError) && answer.status < 300;
      if (isSpent || !isPassing(answer) || isLast) throw refused(answer, base);
      await sleep(pause);
    }
  } finally {
    await transport.close();
  }
}

function toldToWait(answer: HttpAnswer | TransportError, now: Date): number {
  if (answer instanceof TransportError) return 0;
  const header = answer.headers["retry-after"];
  const date = parseHttpDate(answer.headers.date) ?? now.getTime();
  const earliest = new Date(Math.min(now.getTime(), date));
  return parseRetryAfter(Array.isArray(header) ? header[0] : header, earliest) ?? 0;
}

function open(site: OauthSite): { transport: Transport; base: string } {
  const base = baseUrl(site.config.zendesk.urlTemplate, site.subdomain);
  const transport = new Transport({
    origin: new URL(base).origin,
    refusePrivateAddresses: site.config.zendesk.isDefaultUrl,
    deadlines: { ...deadlines, ...site.deadlines },
  });
  return { transport, base };
}

function readToken(answer: HttpAnswer, now: Date): Token | null {
  const body = parseBody(answer);
  if (!isObject(body) || typeof body.access_token !== "string" || body.access_token === "") return null;
  const refreshToken = typeof body.refresh_token === "string" ? body.refresh_token : null;
  registerSecrets([body.access_token, ...(refreshToken ? [refreshToken] : [])]);
  const told = lifetime(body.expires_in) ?? assumedLifetime;
  const ahead = Math.min(60, told * 0.2);
  const refreshLife = refreshToken === null ? null : lifetime(body.refresh_token_expires_in);
  return {
    accessToken: body.access_token,
    refreshToken,
    refreshExpiresAt: refreshLife === null ? null : new Date(now.getTime() + refreshLife * 1000),
    scopes: typeof body.scope === "string" ? body.scope.split(/\s+/).filter(Boolean) : null,
    expiresAt: new Date(now.getTime() + told * 1000),
    renewAt: new Date(now.getTime() + (told - ahead) * 1000),
  };
}

/** Seconds; null where Zendesk does not say. */
function lifetime(told: unknown): number | null {
  return typeof told === "number" && told > 0 ? Math.min(told, longestLifetime) : null;
}

function configuredClient(config: Pick<Config, "zendesk">): OauthClient {
  if (!config.zendesk.client) throw noClient();
  return config.zendesk.client;
}

function noClient(): ZendeskError {
  return new ZendeskError({
    code: "credentials_rejected",
    message: "This installation has no OAuth client of its own.",
    action: "Set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET, or connect with client credentials.",
    scope: "connection",
    about: "auth",
  });
}
