import fs from "node:fs";
import path from "node:path";
import { withSnapshot } from "#db/dump.ts";
import { type ArchiveWriter, archiveFormat, type Manifest, writeArchive } from "#lib/launch/archive.ts";
import { hasCluster, keptFiles, type Storage, withStorage } from "#lib/launch/storage.ts";
import { productVersion } from "#lib/version.ts";

/** A file name that sorts by time: `bellwether-backup-20261122T101500Z.tar.gz`. */
export function backupName(now: Date): string {
  return `bellwether-backup-${now.toISOString().replace(/[-:]|\.\d+/g, "")}.tar.gz`;
}

/**
 * Saves everything of an installation in one new file, as it stood at one instant, also while the product runs. The file has
 * its name only once it is whole; `signal` breaks it off between two pieces, and nothing is left of it. It holds the keys with
 * which the stored Zendesk logins are sealed.
 */
export async function backup(storage: Storage, file: string, now: Date, signal?: AbortSignal): Promise<Manifest> {
  requireAbsent(file);
  if (storage.databaseUrl === null && !hasCluster(storage)) {
    throw new Error(`There is nothing to save in ${storage.dataDir}: Bellwether was never started there.`);
  }
  const unfinished = `${file}.${process.pid}.unfinished`;
  try {
    const manifest = await withStorage(storage, ({ ownerUrl }) =>
      writeArchive(unfinished, (archive) => saveAll(ownerUrl, storage.dataDir, archive, now, signal)),
    );
    requireAbsent(file);
    fs.renameSync(unfinished, file);
    return manifest;
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}

function requireAbsent(file: string): void {
  if (fs.existsSync(file)) throw new Error(`${file} exists already; name another file, or move it away.`);
}

function saveAll(
  ownerUrl: string,
  dataDir: string,
  archive: ArchiveWriter,
  now: Date,
  signal?: AbortSignal,
): Promise<Manifest> {
  return withSnapshot(ownerUrl, async (snapshot) => {
    if (snapshot.migrations.length === 0) throw new Error("The database holds nothing of Bellwether's yet.");
    const tables: Manifest["tables"] = [];
    for (const table of snapshot.tables) {
      const content = archive.table(table.name);
      const rows = await snapshot.copyOut(table, (piece) => {
        signal?.throwIfAborted();
        return content.put(piece);
      });
      tables.push({ ...table, rows, ...(await content.end()) });
    }
    const { migrations, sequences } = snapshot;
    const kept = await saveKept(dataDir, archive);
    return {
      format: archiveFormat,
      product: productVersion,
      createdAt: now.toISOString(),
      migrations,
      tables,
      sequences,
      kept,
    };
  });
}

async function saveKept(dataDir: string, archive: ArchiveWriter): Promise<Manifest["kept"]> {
  const kept: Manifest["kept"] = [];
  for (const name of keptFiles) {
    const file = path.join(dataDir, name);
    if (fs.existsSync(file)) kept.push({ name, ...(await archive.kept(name, fs.readFileSync(file))) });
  }
  return kept;
}
