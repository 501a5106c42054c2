import { type Finding, failure, type LiveVisit, ok, unknown, warning } from "#lib/connections/doctor-checks/finding.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";

/** What reading, and writing, needs where the grant is not a broad one (zendesk-api section 1.4). */
const readScopes = ["tickets", "users", "organizations", "groups", "satisfaction_ratings", "account_settings"];
const writeScopes = ["tickets", "users", "organizations"];

/** What the token may do, against what the connection is for. */
export async function checkScopes(visit: LiveVisit): Promise<Finding[]> {
  const { connection } = visit;
  if (connection.auth_type === "api_token") {
    return [ok("scopes", "API tokens have no scopes: this one may do whatever its login may.")];
  }
  const told = await scopesOfToken(visit);
  const granted = told ?? connection.scopes;
  if (granted === null) return [unknown("scopes", "Zendesk did not say which scopes the token has.")];
  const source = told ? "" : " (as told when the token was given)";
  return [judgeScopes(granted, connection.access, source)];
}

async function scopesOfToken({ client }: LiveVisit): Promise<string[] | null> {
  try {
    const { token } = (await client.get("/api/v2/oauth/tokens/current", { expect: "token" })).body;
    const scopes = isObject(token) ? token.scopes : undefined;
    return Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === "string") : null;
  } catch (error) {
    if (error instanceof ZendeskError || error instanceof WaitNeeded) return null;
    throw error;
  }
}

/** Pure. */
export function judgeScopes(granted: readonly string[], access: string, source = ""): Finding {
  const found = `Granted${source}: ${granted.length > 0 ? granted.join(", ") : "nothing"}.`;
  const toRead = missing(granted, "read", readScopes);
  if (toRead.length > 0) {
    return failure(
      "scopes",
      `${found} Missing for reading: ${toRead.join(", ")}.`,
      'Give the OAuth client the scope "read" in Zendesk\'s Admin Center, then reconnect.',
    );
  }
  const toWrite = missing(granted, "write", writeScopes);
  if (access === "read_write") {
    if (toWrite.length === 0) return ok("scopes", `${found} Enough for reading and writing.`);
    const action = 'Give the OAuth client the scope "write" in Zendesk\'s Admin Center, then reconnect.';
    return warning("scopes", `${found} Enough for reading; missing for writing: ${toWrite.join(", ")}.`, action);
  }
  const more = granted.filter((scope) => /(^|:)write$/.test(scope));
  const unused = more.length > 0 ? ` Nothing is written by this connection: ${more.join(", ")} is not used.` : "";
  return ok("scopes", `${found} Enough for reading.${unused}`);
}

/** The broad scope that is missing, or of a granular grant the single ones. */
function missing(granted: readonly string[], broad: "read" | "write", resources: readonly string[]): string[] {
  if (granted.includes(broad)) return [];
  const single = resources.map((resource) => `${resource}:${broad}`).filter((scope) => !granted.includes(scope));
  return single.length === resources.length ? [broad] : single;
}
