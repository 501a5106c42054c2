import { randomUUID } from "node:crypto";
import pg from "pg";
import { migrateToLatest } from "#db/migrate.ts";

/**
 * Makes a database on this server that holds the newest schema and no row, for each test file to copy; its name. Whoever runs
 * afterwards finds the server by TEST_DATABASE_URL, its owner's address, and the database by TEST_DATABASE_TEMPLATE.
 */
export async function offerServer(server: string): Promise<string> {
  const name = newName("template");
  await administer(server, `create database ${name}`);
  await migrateToLatest(addressOf(server, name));
  process.env.TEST_DATABASE_URL = server;
  process.env.TEST_DATABASE_TEMPLATE = name;
  return name;
}

export const newName = (prefix: string): string => `${prefix}_${randomUUID().replaceAll("-", "")}`;

export const dropDatabase = (server: string, name: string): Promise<void> =>
  administer(server, `drop database if exists ${name} with (force)`);

/** The address of another database on the same server. */
export function addressOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

export async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
