import { createHash, randomBytes } from "node:crypto";
import { inWorkspace, type Trx } from "#db/client.ts";
import { decrypt, encrypt } from "#lib/auth/encryption.ts";
import { saveConnection } from "#lib/connections/create.ts";
import { saveReconnected } from "#lib/connections/lifecycle.ts";
import { type Login, readSubdomain, refusal } from "#lib/connections/login.ts";
import { confirmSameAccount } from "#lib/connections/same-account.ts";
import { findConnection, hiddenStates } from "#lib/connections/store/connections.ts";
import { deleteStates, findState, insertState, takeState } from "#lib/connections/store/oauth-states.ts";
import type { Context } from "#lib/context.ts";
import { AppError, notFound } from "#lib/errors.ts";
import { exchangeCode } from "#lib/zendesk/credentials.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { authorizationUrl, newVerifier } from "#lib/zendesk/oauth.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/*
 * The browser's way of connecting: authorization code with PKCE. The state is random, kept as a hash, bound to the person
 * who started, used once and ten minutes old at most (row 112).
 */

const stateLifeMs = 10 * 60_000;

export interface AuthorizationStart {
  subdomain?: string | undefined;
  /** Sign in again for this connection instead of making one. */
  connectionId?: number | undefined;
  /** Of a connection that may be written to already, writing is asked for in any case. */
  access: "read" | "read_write";
  name?: string | undefined;
  /** With `connectionId`: a person's word for a login that nobody has seen before. */
  confirmLogin?: boolean | undefined;
}

interface Starter {
  workspaceId: number;
  userId: string;
}

/** Where to send the browser: Zendesk's own page that asks for consent. */
export async function startAuthorization(
  ctx: Pick<Context, "config" | "db">,
  starter: Starter,
  start: AuthorizationStart,
  redirectUri: string,
  now: Date,
): Promise<string> {
  requireClient(ctx);
  return inWorkspace(ctx.db, starter.workspaceId, async (trx) => {
    const goal = await goalOf(trx, starter.workspaceId, start);
    const state = randomBytes(32).toString("base64url");
    const { verifier, challenge } = newVerifier();
    await insertState(trx, {
      workspace_id: starter.workspaceId,
      state_hash: hashOf(state),
      user_id: starter.userId,
      subdomain: goal.subdomain,
      access: goal.access,
      name: start.name ?? null,
      connection_id: start.connectionId ?? null,
      confirm_login: start.confirmLogin ?? false,
      code_verifier: encrypt(ctx.config.secrets.encryption, verifier),
      created_at: now,
    });
    return authorizationUrl(ctx.config, { ...goal, state, codeChallenge: challenge, redirectUri });
  });
}

function requireClient(ctx: Pick<Context, "config">): void {
  if (ctx.config.zendesk.client) return;
  throw new AppError(
    "conflict",
    "The connect button needs an OAuth client of Zendesk: set ZENDESK_CLIENT_ID and ZENDESK_CLIENT_SECRET and start again. Client credentials or an API token work without it.",
  );
}

async function goalOf(trx: Trx, workspaceId: number, start: AuthorizationStart) {
  if (start.connectionId === undefined) {
    if (start.subdomain) return { subdomain: readSubdomain(start.subdomain), access: start.access };
    const message = "Name the Zendesk to connect: ?subdomain=acme for https://acme.zendesk.com.";
    throw new AppError("invalid", message, { details: [{ path: "subdomain", message }] });
  }
  const connection = await findConnection(trx, { workspaceId, connectionId: start.connectionId });
  if (!connection || hiddenStates.includes(connection.state)) throw notFound("The connection");
  const access = connection.access === "read_write" ? ("read_write" as const) : start.access;
  return { subdomain: connection.subdomain, access };
}

export interface AuthorizationAnswer {
  state: string | null;
  code: string | null;
  /** Zendesk's word for why there is no code: `access_denied` when the person refused. */
  error: string | null;
}

/** Of an authorization that is under way for a connection: which one, and whether it is to get the right to write. */
export interface AuthorizationGoal {
  connectionId: number;
  isForWriting: boolean;
}

/** What an authorization that comes back was started for; null for a new connection, and for one that nobody started. */
export async function goalOfAuthorization(
  ctx: Pick<Context, "db">,
  workspaceId: number,
  { state: given }: Pick<AuthorizationAnswer, "state">,
): Promise<AuthorizationGoal | null> {
  if (!given) return null;
  return inWorkspace(ctx.db, workspaceId, async (trx) => {
    const state = await findState(trx, workspaceId, hashOf(given));
    if (!state || state.connection_id === null) return null;
    const connection = await findConnection(trx, { workspaceId, connectionId: state.connection_id });
    const isForWriting = state.access === "read_write" && connection?.access !== "read_write";
    return { connectionId: state.connection_id, isForWriting };
  });
}

/**
 * Takes the browser back from Zendesk. Throws `forbidden` unless the same person started this authorization within ten
 * minutes and it is its first return; gives the connection, or null where the person refused.
 */
export async function finishAuthorization(
  ctx: Pick<Context, "config" | "db" | "log">,
  starter: Starter & { label: string },
  answer: AuthorizationAnswer,
  redirectUri: string,
  now: Date,
): Promise<Scope | null> {
  requireClient(ctx);
  const { workspaceId } = starter;
  const state = answer.state
    ? await inWorkspace(ctx.db, workspaceId, (trx) => takeState(trx, workspaceId, hashOf(answer.state ?? "")))
    : undefined;
  const age = state ? now.getTime() - state.created_at.getTime() : Number.POSITIVE_INFINITY;
  if (!state || state.user_id !== starter.userId || age > stateLifeMs) {
    throw new AppError(
      "forbidden",
      "This sign-in at Zendesk was not started here by you within the last ten minutes, or it was used already. Start again from the connections screen.",
    );
  }
  if (!answer.code) return null;
  const access = state.access === "read_write" ? "read_write" : "read";
  const login = await exchangeCode(ctx, {
    subdomain: state.subdomain,
    code: answer.code,
    codeVerifier: decrypt(ctx.config.secrets.encryption, state.code_verifier),
    redirectUri,
    access,
    now,
  }).catch((error: unknown) => {
    throw refusal(error);
  });
  if (access === "read_write") requireWriting(login);
  if (state.connection_id === null) {
    const wanted = { subdomain: state.subdomain, access, historyDays: 0, eventHistoryDays: 365 } as const;
    const named = { ...wanted, name: state.name ?? undefined };
    return inWorkspace(ctx.db, workspaceId, (trx) =>
      saveConnection(trx, workspaceId, named, login, starter.label, now),
    );
  }
  const scope = { workspaceId, connectionId: state.connection_id };
  const connection = await inWorkspace(ctx.db, workspaceId, (trx) => findConnection(trx, scope));
  if (!connection) throw notFound("The connection");
  const { subdomain } = connection;
  if (subdomain !== state.subdomain) {
    const message = `“${connection.name}” reads ${subdomain} since this sign-in was started: start again.`;
    throw new AppError("invalid", message);
  }
  await confirmSameAccount(ctx, connection, { ...login, subdomain }, state.confirm_login);
  await inWorkspace(ctx.db, workspaceId, (trx) =>
    saveReconnected(trx, scope, { ...login, access, move: { from: subdomain, to: subdomain } }, starter.label, now),
  );
  return scope;
}

/** Throws `invalid` where Zendesk says that what it gave does not include writing. What it does not tell is left to the doctor. */
function requireWriting({ stored: { scopes } }: Login): void {
  if (scopes === null || scopes.some((scope) => /^(.+:)?write$/.test(scope))) return;
  const given = scopes.length === 0 ? "nothing" : scopes.join(", ");
  const why = new ZendeskError({
    code: "missing_scope",
    message: `Zendesk was asked for reading and writing and granted only: ${given}.`,
    action: 'Allow the scope "write" for this OAuth client in Zendesk\'s Admin Center, then ask again.',
    scope: "connection",
    about: "auth",
  });
  throw refusal(why);
}

/** Authorizations that nobody finished. */
export async function forgetOldStates(trx: Trx, workspaceId: number, now: Date): Promise<void> {
  await deleteStates(trx, workspaceId, new Date(now.getTime() - stateLifeMs));
}

const hashOf = (state: string): Buffer => createHash("sha256").update(state).digest();
