import { createHash, randomBytes } from "node:crypto";
import type pg from "pg";
import { inWorkspace } from "#db/client.ts";
import { createConnection, saveConnection } from "#lib/connections/create.ts";
import { reconnect, saveReconnected } from "#lib/connections/lifecycle.ts";
import { connectionBody } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import type { MatchKey } from "#lib/matching/shapes.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { exchangeCode, type Tried } from "#lib/zendesk/credentials.ts";
import { type ChaosAccount, installation } from "./accounts.ts";

type Ctx = Pick<Context, "config" | "db" | "log">;

export const matchKeys: MatchKey[] = [
  { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
];

const redirectUri = "http://127.0.0.1/callback";

/** Two workspaces, with customers that the organizations' external ids name. */
export async function makeWorkspaces(owner: pg.Client, intervalMinutes: number, now: Date): Promise<number[]> {
  const ids: number[] = [];
  for (const name of ["North", "South"]) {
    const { rows } = await owner.query<{ id: number }>(
      "insert into workspace (name, sync_interval_minutes, created_at) values ($1, $2, $3) returning id",
      [name, intervalMinutes, now],
    );
    const id = rows[0]?.id ?? 0;
    ids.push(id);
    for (let n = 0; n < 12; n++) {
      await owner.query(
        "insert into account (workspace_id, external_id, name, created_at, updated_at) values ($1, $2, $3, $4, $4)",
        [id, `ext-${n}`, `${name} ${n}`, now],
      );
    }
  }
  return ids;
}

/** Connects an account as a person would; the first run is asked for. */
export async function connectAccount(ctx: Ctx, account: ChaosAccount, workspaceId: number, now: Date): Promise<void> {
  const { subdomain, auth } = account;
  const history = { historyDays: 0, eventHistoryDays: 0 };
  if (auth) {
    const body = connectionBody.parse({ kind: "zendesk", subdomain, auth, access: "read_write", ...history });
    account.scope = await createConnection(ctx, workspaceId, body, "chaos", now);
  } else {
    const login = await signIn(ctx, account, now);
    account.scope = await inWorkspace(ctx.db, workspaceId, (trx) =>
      saveConnection(trx, workspaceId, { subdomain, access: "read_write", ...history }, login, "chaos", now),
    );
  }
  await inWorkspace(ctx.db, workspaceId, (trx) => putMatchKeys(trx, account.scope, matchKeys));
}

/** Signs in again where the product asks for it. */
export async function reconnectAccount(ctx: Ctx, account: ChaosAccount, clock: () => Date): Promise<void> {
  const now = clock();
  if (account.auth) return reconnect(ctx, account.scope, { auth: account.auth }, "chaos", now);
  const login = await signIn(ctx, account, now, { clock, longestSleep: 0 });
  await inWorkspace(ctx.db, account.scope.workspaceId, (trx) =>
    saveReconnected(trx, account.scope, login, "chaos", now),
  );
}

/**
 * Through the connect button: a code for tokens that rotate. By the simulation's clock: a wait that is told by another one would
 * keep the account's budgets used up for simulated hours.
 */
function signIn(
  ctx: Ctx,
  { world, subdomain }: ChaosAccount,
  now: Date,
  options: Partial<ClientOptions> = {},
): Promise<Tried> {
  const codeVerifier = randomBytes(48).toString("base64url");
  const challenge = createHash("sha256").update(codeVerifier).digest("base64url");
  const code = world.access.issueCode({
    clientIdentifier: installation.id,
    redirectUri,
    scopes: ["read", "write"],
    challenge,
  });
  return exchangeCode(ctx, { subdomain, code, codeVerifier, redirectUri, access: "read_write", now, options });
}
