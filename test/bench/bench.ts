import pg from "pg";
import type { Db } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Random } from "#test/metrics/random.ts";

/** What a run was asked for. */
export interface Options {
  tickets: number;
  accounts: number;
  seed: number;
  rounds: number;
  keep: boolean;
  json: string | null;
}

/** What every group of rows works with. */
export interface Bench extends Options {
  /** As the product opens it: one workspace at a time, bound by row-level security. */
  db: Db;
  /** The address behind `db`. */
  url: string;
  ownerUrl: string;
  /** The owner's session, for the limits; a second one reads the position of the log. */
  owner: pg.Client;
  wal: pg.Client;
  /** All tickets and accounts. */
  scope: Scope;
  /** A workspace of a fifth of them. */
  small: Scope;
  smallSize: { tickets: number; accounts: number };
  random: Random;
  footnotes: Set<string>;
  /** Calls of a page in each round. */
  calls: number;
}

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
