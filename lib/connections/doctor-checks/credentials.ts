import { inWorkspace } from "#db/client.ts";
import {
  type Finding,
  failure,
  type LiveVisit,
  ok,
  unknown,
  untried,
  warning,
} from "#lib/connections/doctor-checks/finding.ts";
import { loadConnection } from "#lib/connections/load.ts";
import { apiTokensEndOn } from "#lib/connections/present.ts";
import { instantWords } from "#lib/time-words.ts";
import { canRenew, renewToken } from "#lib/zendesk/credentials.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";

const day = 86_400_000;
/** An ending is told of this long before. */
const soon = 7 * day;

/** What we sign in with, how long that lasts, and that it can be renewed: proved by renewing it, as every run does when it is due. */
export async function checkCredentials(visit: LiveVisit): Promise<Finding[]> {
  const { auth_type: type } = visit.connection;
  if (type === "api_token") return [apiToken(visit.now)];
  if (type === "oauth_client_credentials") return [await clientCredentials(visit)];
  return [await authorization(visit)];
}

function apiToken(now: Date): Finding {
  const end = new Date(`${apiTokensEndOn}T00:00:00Z`);
  const idle = "Zendesk deactivates tokens that nobody has used for 30 days.";
  if (now >= end) {
    const found = `API token. Zendesk has ended all API tokens on ${apiTokensEndOn}.`;
    return failure("credentials", found, "Reconnect with OAuth.");
  }
  const found = `API token. Zendesk ends all API tokens on ${apiTokensEndOn}. ${idle}`;
  return warning("credentials", found, "Reconnect with OAuth before that day; rows and cursors stay.");
}

async function clientCredentials(visit: LiveVisit): Promise<Finding> {
  const kind = "OAuth client credentials";
  try {
    const { token_expires_at: end } = await renewedNow(visit);
    return ok("credentials", `${kind}: ${givenWords(end)}`);
  } catch (error) {
    return refusedRenewal(visit, kind, error);
  }
}

async function authorization(visit: LiveVisit): Promise<Finding> {
  const stored = await storedNow(visit);
  if (!canRenew(visit.ctx, stored)) {
    const { token_expires_at: end } = stored;
    const until = end ? instantWords(end) : "an instant that Zendesk did not name";
    const found = `OAuth. The access token is good until ${until}, and it came without a refresh token: nothing renews it.`;
    return warning("credentials", found, "Reconnect through the connect button before it ends.");
  }
  try {
    const { token_expires_at: end, login_ends_at: signInEnd } = await renewedNow(visit);
    const given = `OAuth: ${givenWords(end)}`;
    if (signInEnd === null) return ok("credentials", `${given} When the sign-in itself ends Zendesk did not name.`);
    const lasts = `${given} The sign-in can be renewed without a person until ${instantWords(signInEnd)}.`;
    if (signInEnd.getTime() - visit.now.getTime() > soon) return ok("credentials", lasts);
    return warning("credentials", lasts, "Let a run go through before then (resume the connection), or reconnect.");
  } catch (error) {
    return refusedRenewal(visit, "OAuth", error);
  }
}

async function renewedNow(visit: LiveVisit): Promise<LiveVisit["connection"]> {
  await renewToken(visit.ctx, visit.connection, visit.now);
  return storedNow(visit);
}

function givenWords(end: Date | null): string {
  const until = end ? ` It is good until ${instantWords(end)}; runs ask for the next one in time.` : "";
  return `a fresh access token was given when asked for.${until}`;
}

/** The way here may have renewed what was read at first. */
async function storedNow({ ctx, scope, connection }: LiveVisit): Promise<LiveVisit["connection"]> {
  return (await inWorkspace(ctx.db, scope.workspaceId, (trx) => loadConnection(trx, scope))) ?? connection;
}

function refusedRenewal(visit: LiveVisit, kind: string, error: unknown): Finding {
  const reason = untried(error, visit);
  if (reason !== null || !(error instanceof ZendeskError)) return unknown("credentials", `${kind}. ${reason}`);
  return failure("credentials", `${kind}: no access token was given. ${error.message}`, error.action);
}
