import { inWorkspace } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { type Login, refusal } from "#lib/connections/login.ts";
import { type Landmark, readLandmarks } from "#lib/connections/store/landmarks.ts";
import type { Context } from "#lib/context.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { openClient } from "#lib/zendesk/credentials.ts";
import { parseInstant } from "#lib/zendesk/dates.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";

const hurried = { attempts: 3, longestSleep: 5000, patience: 20_000 };

/**
 * Whether the account that a login opens is the one that was read: the former login, colleagues of then and a few
 * organizations are asked for by id. Ids alone prove nothing, since two accounts may use the same; the instant of creation
 * never changes in one, and with a name or an e-mail that is the same too, it is the same row. One row that was created at
 * another instant refutes it all, and so does a colleague who is not there: Zendesk shows people who were deleted, too.
 */
export async function landmarksAgree(
  ctx: Pick<Context, "config" | "db">,
  connection: StoredConnection,
  login: Pick<Login, "stored">,
): Promise<boolean> {
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  const landmarks = await inWorkspace(ctx.db, scope.workspaceId, (trx) =>
    readLandmarks(trx, scope, connection.login_id),
  );
  const client = openClient(ctx, { ...connection, ...login.stored }, hurried);
  try {
    let agreeing = 0;
    for (const landmark of landmarks) {
      const found = await look(client, landmark);
      if (found === "differs") return false;
      if (found === "agrees") agreeing++;
    }
    return agreeing > 0;
  } catch (error) {
    throw refusal(error);
  } finally {
    await client.close();
  }
}

/** `vague`: as old, under another name; or not there, which may have its reasons. */
async function look(client: ZendeskClient, landmark: Landmark): Promise<"agrees" | "differs" | "vague"> {
  const key = landmark.kind === "users" ? "user" : "organization";
  try {
    const { body } = await client.get(`/api/v2/${landmark.kind}/${landmark.id}`, { expect: key });
    const row = isObject(body[key]) ? body[key] : {};
    const created = parseInstant(row.created_at);
    if (created?.getTime() !== landmark.createdAt.getTime()) return "differs";
    const names = [row.name, row.email].filter((text) => typeof text === "string").map((text) => text.toLowerCase());
    return landmark.names.some((name) => names.includes(name.toLowerCase())) ? "agrees" : "vague";
  } catch (error) {
    if (!(error instanceof ZendeskError) || (error.status !== 404 && error.status !== 403)) throw error;
    return error.status === 404 && landmark.stays ? "differs" : "vague";
  }
}
