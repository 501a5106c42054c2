import { randomUUID } from "node:crypto";
import type { NextRequest } from "next/server";
import type { NextAuthOptions, User } from "next-auth";
import { decode, type JWT } from "next-auth/jwt";
import credentials from "next-auth/providers/credentials";
import { admit } from "#lib/auth/admission.ts";
import { type SignIn, signInWithPassword } from "#lib/auth/sign-in.ts";
import { findPerson, type PersonRow } from "#lib/auth/store/people.ts";
import { endSession } from "#lib/auth/store/sessions.ts";
import type { OidcConfig } from "#lib/config.ts";
import type { Context } from "#lib/context.ts";

/*
 * The browser's session: an encrypted token in a cookie (HttpOnly, Lax, 12 hours) that names a person, the workspace and
 * the person's session version. Every request compares it with the person's row, so that a raised version, a disabled person
 * and a changed role hold at once. Signing out ends this one sign-in at the server too, whoever kept a copy of its cookie.
 * The only file that knows next-auth.
 */

const sessionSeconds = 12 * 3600;
/** A token may be written anew while its session is being ended, and is accepted some seconds after its end. */
const toleranceMs = 10 * 60_000;
/** Named by us: cookies are shared by all ports of a host, and next-auth's own names by all its applications. */
export const sessionCookieName = "bellwether-session";
const secureCookieName = `__Secure-${sessionCookieName}`;
const signInPage = "/sign-in";

/** What the token holds. */
export interface SessionClaims {
  uid: string;
  workspace: number;
  version: number;
  /** Which sign-in it is, a UUID. */
  session: string;
}

/** The person whose session a Cookie header carries, or null. */
export async function sessionPerson(
  ctx: Pick<Context, "db" | "config">,
  cookies: string | null,
): Promise<PersonRow | null> {
  const token = cookieNamed(secureCookieName, cookies) ?? cookieNamed(sessionCookieName, cookies);
  return token === undefined ? null : livingPerson(ctx, await readToken(token, ctx.config.secrets.auth));
}

async function livingPerson(ctx: Pick<Context, "db">, claims: SessionClaims | null): Promise<PersonRow | null> {
  if (claims === null) return null;
  const { workspace: workspaceId, uid: userId, session: sessionId } = claims;
  const person = await findPerson(ctx.db, { workspaceId, userId, sessionId });
  return person && !person.disabled && person.sessionVersion === claims.version ? person : null;
}

/** Serves /api/auth/*: sign-in, the issuer's callback, sign-out. */
export async function serveAuth(
  ctx: Context,
  request: NextRequest,
  params: { nextauth: string[] },
  now: Date,
): Promise<Response> {
  const { default: NextAuth } = await import("next-auth");
  return NextAuth(request, { params: Promise.resolve(params) }, authOptions(ctx, isHttps(ctx, request), now));
}

function authOptions(ctx: Context, https: boolean, now: Date): NextAuthOptions {
  const { auth: secret } = ctx.config.secrets;
  const { oidc } = ctx.config;
  return {
    secret,
    session: { strategy: "jwt", maxAge: sessionSeconds },
    useSecureCookies: https,
    cookies: {
      sessionToken: {
        name: https ? secureCookieName : sessionCookieName,
        options: { httpOnly: true, sameSite: "lax", path: "/", secure: https },
      },
    },
    pages: { signIn: signInPage, error: signInPage, signOut: signInPage },
    providers: [passwordProvider(ctx, now), ...(oidc ? [issuerProvider(oidc)] : [])],
    callbacks: {
      async signIn({ user, account, profile }) {
        if (account?.provider !== "oidc") return true;
        const admission = await admitProfile(ctx, profile as IssuerProfile, now);
        if (admission.result === "refused") return `${signInPage}?error=${admission.reason}`;
        // next-auth hands this same object to the jwt callback.
        Object.assign(user, userOf(admission.person));
        return true;
      },
      // A token is written anew only for whom it still lets in: rolled on for ever, a copy would outlive its end's record.
      jwt: async ({ token, user }) => {
        if (user) return { ...(user as SessionUser).claims };
        return (await livingPerson(ctx, claimsOf(token))) ? token : {};
      },
    },
    events: {
      async signOut({ token }) {
        const claims = claimsOf(token);
        const endsAt = new Date(now.getTime() + sessionSeconds * 1000 + toleranceMs);
        if (claims) await endSession(ctx.db, { workspaceId: claims.workspace, sessionId: claims.session, endsAt });
      },
    },
    logger: {
      error: (code, metadata) =>
        ctx.log.warn({ code, err: metadata instanceof Error ? metadata : metadata.error }, "sign-in failed"),
      warn: (code) => ctx.log.warn({ code }, "sign-in warning"),
      debug: () => {},
    },
  };
}

interface SessionUser extends User {
  claims: SessionClaims;
}

function userOf(person: PersonRow): SessionUser {
  const { userId: uid, workspaceId: workspace, sessionVersion: version } = person;
  const claims = { uid, workspace, version, session: randomUUID() };
  return { id: person.userId, claims };
}

function passwordProvider(ctx: Context, now: Date) {
  return credentials({
    credentials: { email: {}, password: {} },
    async authorize(given) {
      // next-auth shows the message of whatever is thrown here: nothing but our own codes may leave.
      const outcome = await signInWithPassword(ctx.db, enteredIn(given), ctx.config, now).catch((err) => {
        ctx.log.error({ err }, "sign-in failed");
        throw new Error("unavailable");
      });
      if (outcome.result !== "signed_in") throw new Error(signInErrorOf(outcome));
      return userOf(outcome.person);
    },
  });
}

/** A form's fields are text; a body of JSON may hold anything. */
function enteredIn(fields: Record<string, unknown> | undefined): { email: string; password: string } {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return { email: text(fields?.email), password: text(fields?.password) };
}

/** As the sign-in page finds it in its address: a code, and for a lock the instant of its end. */
function signInErrorOf(outcome: Exclude<SignIn, { result: "signed_in" }>): string {
  return outcome.result === "locked" ? `locked:${outcome.until.toISOString()}` : outcome.result;
}

interface IssuerProfile {
  sub: string;
  iss?: string;
  email?: string;
  email_verified?: boolean | string;
  name?: string;
}

/** Any OpenID Connect issuer: authorization code with PKCE, state and nonce. */
function issuerProvider(oidc: OidcConfig): NextAuthOptions["providers"][number] {
  return {
    id: "oidc",
    type: "oauth",
    name: oidc.name,
    wellKnown: `${oidc.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`,
    issuer: oidc.issuer,
    clientId: oidc.clientId,
    clientSecret: oidc.clientSecret,
    authorization: { params: { scope: "openid email profile" } },
    idToken: true,
    checks: ["pkce", "state", "nonce"],
    profile: (profile: IssuerProfile) => ({ id: profile.sub }),
  };
}

function admitProfile(ctx: Context, profile: IssuerProfile, now: Date) {
  const identity = {
    issuer: ctx.config.oidc?.issuer ?? "",
    email: profile.email ?? "",
    emailVerified: profile.email_verified === true || profile.email_verified === "true",
    name: profile.name ?? null,
  };
  return admit(ctx.db, identity, ctx.config, now);
}

async function readToken(token: string, secret: string): Promise<SessionClaims | null> {
  return claimsOf(await decode({ token, secret }).catch(() => null));
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function claimsOf(token: JWT | null): SessionClaims | null {
  const { uid, workspace, version, session } = token ?? {};
  if (typeof uid !== "string" || typeof workspace !== "number" || typeof version !== "number") return null;
  return typeof session === "string" && uuid.test(session) ? { uid, workspace, version, session } : null;
}

function cookieNamed(name: string, cookies: string | null): string | undefined {
  const pair = cookies?.split(/; */).find((part) => part.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}

function isHttps(ctx: Context, request: Request): boolean {
  const { publicUrl } = ctx.config.server;
  if (publicUrl !== null) return publicUrl.startsWith("https:");
  return request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim() === "https";
}
