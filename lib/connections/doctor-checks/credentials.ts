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

/** What we sign in with, how long that lasts, and that it can be renewed. */
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
  try {
    await renewToken(visit.ctx, visit.connection, visit.now);
    const { token_expires_at: end } = await storedNow(visit);
    const until = end ? ` It is good until ${instantWords(end)}; runs ask for the next one in time.` : "";
    return ok("credentials", `OAuth client credentials: a fresh access token was given when asked for.${until}`);
  } catch (error) {
    return refusedRenewal(visit, error);
  }
}

async function authorization(visit: LiveVisit): Promise<Finding> {
  const { ctx, now } = visit;
  const stored = await storedNow(visit);
  const { token_expires_at: end, login_ends_at: refreshEnd } = stored;
  const token = `OAuth. The access token is good until ${end ? instantWords(end) : "an instant that Zendesk did not name"}`;
  if (!canRenew(ctx, stored)) {
    const found = `${token}, and it came without a refresh token: nothing renews it.`;
    return warning("credentials", found, "Reconnect through the connect button before it ends.");
  }
  const renewed = `${token}; runs renew it by its refresh token`;
  if (refreshEnd === null) return ok("credentials", `${renewed}, whose end Zendesk did not name.`);
  const lasts = `${renewed}, which itself is good until ${instantWords(refreshEnd)}.`;
  if (refreshEnd.getTime() - now.getTime() > soon) return ok("credentials", lasts);
  return warning("credentials", lasts, "Let a run go through before then (resume the connection), or reconnect.");
}

/** The way here may have renewed what was read at first. */
async function storedNow({ ctx, scope, connection }: LiveVisit): Promise<LiveVisit["connection"]> {
  return (await inWorkspace(ctx.db, scope.workspaceId, (trx) => loadConnection(trx, scope))) ?? connection;
}

function refusedRenewal(visit: LiveVisit, error: unknown): Finding {
  const reason = untried(error, visit);
  if (reason !== null || !(error instanceof ZendeskError)) {
    return unknown("credentials", `OAuth client credentials. ${reason}`);
  }
  return failure("credentials", `OAuth client credentials: no access token was given. ${error.message}`, error.action);
}
