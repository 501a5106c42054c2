import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { ensurePostgres, stopPostgres } from "#db/embedded.ts";
import { migrateToLatest } from "#db/migrate.ts";

/** The server named by TEST_DATABASE_URL, or one of its own that goes when it is closed. */
export async function openServer(): Promise<{ url: string; close: () => Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) return { url: given, close: async () => {} };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `bellwether-test-${process.pid}-`));
  const cluster = path.join(folder, "pg");
  const { ownerUrl } = await ensurePostgres(cluster, { throwaway: true });
  return {
    url: ownerUrl,
    close: async () => {
      await stopPostgres(cluster);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface ChaosDatabase {
  url: string;
  /** A session of the server's owner, beside the product's. */
  owner: pg.Client;
  close(): Promise<void>;
}

/** A fresh, migrated database on that server. */
export async function openChaosDatabase(server: string): Promise<ChaosDatabase> {
  const name = `chaos_${randomUUID().replaceAll("-", "")}`;
  const admin = await connect(server);
  await admin.query(`create database ${name}`);
  // Deadlocks are found as fast as they are made.
  await admin.query(`alter database ${name} set deadlock_timeout = '100ms'`);
  const address = new URL(server);
  address.pathname = `/${name}`;
  const url = address.href;
  await migrateToLatest(url);
  const owner = await connect(url);
  return {
    url,
    owner,
    close: async () => {
      await owner.end();
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    },
  };
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "chaos-owner" });
  client.on("error", () => {});
  await client.connect();
  await client.query("set default_transaction_read_only = off");
  return client;
}
