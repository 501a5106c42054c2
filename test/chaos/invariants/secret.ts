import type pg from "pg";
import { type ChaosAccount, installation } from "../accounts.ts";
import type { Canary } from "../canary.ts";
import type { Violation } from "../violation.ts";

/** INV-SECRET: no secret in a log line, in a readable column, or at a foreign host. */
export async function secret(
  owner: pg.Client,
  accounts: readonly ChaosAccount[],
  lines: readonly string[],
  canary: Canary,
): Promise<Violation[]> {
  const secrets = secretsOf(accounts);
  const visits = canary.visits.map((visit) => `a foreign host was called: ${visit}`);
  const logged = lines
    .filter((line) => secrets.some((one) => line.includes(one)))
    .map((line) => `a log line holds a secret: ${line.slice(0, 300)}`);
  const columns = await readableColumns(owner, secrets);
  return [...new Set([...visits, ...logged, ...columns])].map((what) => ({ invariant: "INV-SECRET", what }));
}

function secretsOf(accounts: readonly ChaosAccount[]): string[] {
  const tokens = accounts.flatMap(({ world }) =>
    world.access.tokens.flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken ?? accessToken]),
  );
  const logins = accounts.flatMap(({ world }) => [world.credentials.token, world.credentials.clientSecret]);
  const webhooks = accounts.flatMap(({ world }) => [...world.webhooks.byId.values()].map(({ secret }) => secret));
  return [installation.secret, ...logins, ...tokens, ...webhooks];
}

async function readableColumns(owner: pg.Client, secrets: readonly string[]): Promise<string[]> {
  const { rows: tables } = await owner.query<{ name: string }>(
    "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query<{ text: string }>(`select t::text as text from ${name} t`);
    if (rows.some(({ text }) => secrets.some((one) => text.includes(one))))
      found.push(`a row of ${name} holds a secret in the open`);
  }
  return found;
}
