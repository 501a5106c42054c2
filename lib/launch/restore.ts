import fs from "node:fs";
import path from "node:path";
import { admitServingRole } from "#db/embedded.ts";
import { type Load, Target } from "#db/load.ts";
import { migrationNames } from "#db/migrate.ts";
import { abandonRunning } from "#lib/jobs/reap.ts";
import { type Archive, ArchiveError, type Manifest, newer, readArchive } from "#lib/launch/archive.ts";
import { keptFiles, type OpenStorage, type Storage, withStorage } from "#lib/launch/storage.ts";

export interface Restored {
  manifest: Manifest;
  /** Files of DATA_DIR that stood there with another content, and where they are now. */
  movedAside: string[];
}

/** A product that beat its heart so recently is running, even where its connections have other names. Seconds. */
const recently = 20;

/**
 * Brings back what `backup` saved. The file is read and checked to its end before anything is touched; the tables change in
 * one transaction, which `signal` breaks off between two pieces. Reading goes on by itself from the older cursors at the next start (row 85).
 */
export async function restore(
  storage: Storage,
  file: string,
  options: { replace: boolean; now: Date; signal?: AbortSignal },
): Promise<Restored> {
  const archive = await readArchive(file);
  requireKnown(archive.manifest, file);
  fs.mkdirSync(storage.dataDir, { recursive: true });
  return withStorage(storage, async (open) => {
    const target = await Target.open(open.ownerUrl);
    try {
      await requireUnused(target, open);
      await requireRoom(target, options.replace);
      const laid = layOut(storage.dataDir, archive);
      try {
        await target.replace(
          archive.manifest,
          (load) => fill(load, file, archive.manifest, options.signal),
          (trx, workspaceId) => abandonRunning(trx, workspaceId, options.now),
        );
        // At once: rows without their keys are of no use.
        const movedAside = putInPlace(laid, options.now);
        if (storage.databaseUrl === null) await admitServingRole(open.ownerUrl);
        return { manifest: archive.manifest, movedAside };
      } finally {
        for (const { waiting } of laid) fs.rmSync(waiting, { force: true });
      }
    } finally {
      await target.close();
    }
  });
}

function requireKnown({ migrations }: Manifest, file: string): void {
  if (migrations.some((name) => !migrationNames.includes(name))) throw newer(file);
  if (migrations.some((name, index) => name !== migrationNames[index])) {
    throw new ArchiveError(`${file} is of a schema that never was: its migrations do not follow each other.`);
  }
}

async function requireUnused(target: Target, open: OpenStorage): Promise<void> {
  const { connections, lastBeat } = await target.usage();
  if ((await open.countHolders()) > 0 || connections > 0) {
    throw new Error("Bellwether is running on this data. Stop it, then restore.");
  }
  if (lastBeat !== null && lastBeat < recently) {
    const seconds = Math.max(0, Math.round(lastBeat));
    throw new Error(
      `A process worked on this data ${seconds} s ago. Stop Bellwether wherever it runs; if it was killed, try again in half a minute.`,
    );
  }
}

async function requireRoom(target: Target, replace: boolean): Promise<void> {
  const found = await target.occupancy();
  if (found === "foreign") {
    throw new Error("The database holds tables that are not Bellwether's. Restore into a database of its own.");
  }
  if (found === "newer") {
    throw new Error(
      "The database was migrated by a newer version of Bellwether. Restore with that version, or elsewhere.",
    );
  }
  if (found === "ours" && !replace) {
    throw new Error(
      "The database is not empty. To put the backup in the place of everything that is there now: npm run restore -- <file> --replace. A backup of what is there comes first, if it may be needed.",
    );
  }
}

/** The second reading of the file: were it another one by now, the transaction would not be committed. */
async function fill(load: Load, file: string, known: Manifest, signal?: AbortSignal): Promise<void> {
  const shapes = new Map(known.tables.map((table) => [table.name, table]));
  let current: { name: string; rows: ReturnType<Load["into"]> } | null = null;
  const finish = async () => {
    const expected = current && shapes.get(current.name)?.rows;
    const loaded = await current?.rows.end();
    if (expected !== loaded && current) {
      throw new ArchiveError(
        `${file} gives ${loaded} rows of ${current.name} instead of ${expected}; nothing was changed.`,
      );
    }
    current = null;
  };
  const { manifest } = await readArchive(file, async (name, piece) => {
    signal?.throwIfAborted();
    if (current?.name !== name) {
      await finish();
      const shape = shapes.get(name);
      if (!shape) throw new ArchiveError(`${file} changed while it was read; nothing was changed.`);
      current = { name, rows: load.into(shape) };
    }
    await current.rows.put(piece);
  });
  await finish();
  if (JSON.stringify(manifest) !== JSON.stringify(known)) {
    throw new ArchiveError(`${file} changed while it was read; nothing was changed.`);
  }
}

interface LaidOut {
  file: string;
  waiting: string;
}

/** The kept files lie beside their places before the tables change, so that afterwards only names change. */
function layOut(dataDir: string, { kept }: Archive): LaidOut[] {
  return [...kept]
    .filter(([name]) => keptFiles.includes(name))
    .map(([name, bytes]) => {
      const file = path.join(dataDir, name);
      const waiting = `${file}.${process.pid}.restored`;
      fs.writeFileSync(waiting, bytes, { mode: 0o600 });
      return { file, waiting };
    });
}

/**
 * What stands there with another content is kept aside: without its keys, what was saved under them is lost. At no moment
 * is there no file: a start would make new keys.
 */
function putInPlace(laid: LaidOut[], now: Date): string[] {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, "");
  const movedAside: string[] = [];
  for (const { file, waiting } of laid) {
    const differs = fs.existsSync(file) && !fs.readFileSync(file).equals(fs.readFileSync(waiting));
    if (differs) {
      const aside = `${file}.before-restore-${stamp}`;
      fs.copyFileSync(file, aside, fs.constants.COPYFILE_EXCL);
      movedAside.push(aside);
    }
    fs.renameSync(waiting, file);
  }
  return movedAside;
}
