import fs from "node:fs";
import path from "node:path";
import { type HeldPostgres, holdPostgres } from "#db/embedded-hold.ts";

/** Where everything of an installation lies. */
export interface Storage {
  /** A PostgreSQL of the user's own; null: the embedded one in `dataDir`. */
  databaseUrl: string | null;
  /** Absolute. */
  dataDir: string;
}

export interface OpenStorage {
  /** The address of the tables' owner. */
  ownerUrl: string;
  /** How many running products hold the embedded PostgreSQL. */
  countHolders(): Promise<number>;
}

/** The small files of DATA_DIR without which the tables are worth less: keys, the first sign-in, the demo's beginning. */
export const keptFiles = ["secrets.json", "first-administrator.json", "demo-founded"];

/** Lets `work` use the database: the embedded one is started where it does not run, and stopped again. */
export async function withStorage<T>(storage: Storage, work: (open: OpenStorage) => Promise<T>): Promise<T> {
  if (storage.databaseUrl !== null) return work({ ownerUrl: storage.databaseUrl, countHolders: async () => 0 });
  const held: HeldPostgres = await holdPostgres(path.join(storage.dataDir, "pg"), () => {});
  try {
    return await work({ ownerUrl: held.ownerUrl, countHolders: () => held.countOthers() });
  } finally {
    await held.release();
  }
}

/** Whether there is an embedded cluster; one that does not exist holds nothing to save. */
export function hasCluster({ dataDir }: Storage): boolean {
  return fs.existsSync(path.join(dataDir, "pg", "PG_VERSION"));
}
