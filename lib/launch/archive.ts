import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import tar from "tar-stream";
import { z } from "zod";

/*
 * The file of a backup: a gzipped tar of the tables in COPY's text format (`tables/<name>/<number>`), of the small files of
 * DATA_DIR (`kept/<name>`), and at its very end the manifest, which is there only where everything before it is.
 */

export const archiveFormat = 1;
const manifestName = "manifest.json";
/** Pieces in memory; a tar tells the size of an entry before the entry. */
const pieceBytes = 4 * 1024 * 1024;
/** A piece ends with a whole row, and no row comes near this: a larger entry is none of ours, and is not taken into memory. */
const largestEntry = 256 * 1024 * 1024;

const digits = z.string().regex(/^\d+$/);
const content = { bytes: z.number(), sha256: z.string() };
const manifestShape = z.object({
  format: z.literal(archiveFormat),
  product: z.string(),
  createdAt: z.iso.datetime(),
  migrations: z.array(z.string()),
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      byWorkspace: z.boolean(),
      rows: z.number(),
      ...content,
    }),
  ),
  sequences: z.array(z.object({ table: z.string(), column: z.string(), value: digits })),
  kept: z.array(z.object({ name: z.string(), ...content })),
});
export type Manifest = z.infer<typeof manifestShape>;

/** Something is wrong with the file of a backup; the message says what, and what to do. */
export class ArchiveError extends Error {
  override readonly name = "ArchiveError";
}

interface Content {
  bytes: number;
  sha256: string;
}

export interface ArchiveWriter {
  /** Takes one table's text piece by piece; `end` gives what it came to. */
  table(name: string): { put(piece: Buffer): Promise<void>; end(): Promise<Content> };
  kept(name: string, bytes: Buffer): Promise<Content>;
}

/** Writes a new file that only its owner can read; `work` gives what the manifest says of what it wrote. */
export async function writeArchive(
  file: string,
  work: (archive: ArchiveWriter) => Promise<Manifest>,
): Promise<Manifest> {
  const pack = tar.pack();
  const sink = createWriteStream(file, { mode: 0o600, flags: "wx", flush: true });
  const written = pipeline(Readable.from(pack), createGzip({ level: 6 }), sink);
  written.catch((error: Error) => pack.destroy(error)); // a full disk ends whoever waits for room
  const add = (name: string, bytes: Buffer) =>
    new Promise<void>((resolve, reject) => {
      pack.entry({ name, mode: 0o600 }, bytes, (error) => (error ? reject(error) : resolve()));
    });
  const save = async () => {
    const manifest = await work({
      table: (name) => tableWriter(name, add),
      async kept(name, bytes) {
        await add(`kept/${name}`, bytes);
        return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
      },
    });
    await add(manifestName, Buffer.from(JSON.stringify(manifest, null, 2)));
    pack.finalize();
    return manifest;
  };
  try {
    // A file that cannot be written ends the work too, which may be waiting for the database.
    const [manifest] = await Promise.all([save(), written]);
    return manifest;
  } catch (error) {
    pack.destroy();
    await written.catch(() => {});
    throw error;
  }
}

function tableWriter(name: string, add: (name: string, bytes: Buffer) => Promise<void>) {
  const hash = createHash("sha256");
  let waiting: Buffer[] = [];
  let [size, bytes, entries] = [0, 0, 0];
  async function flush() {
    const piece = Buffer.concat(waiting, size);
    [waiting, size] = [[], 0];
    hash.update(piece);
    bytes += piece.length;
    entries += 1;
    await add(`tables/${name}/${String(entries).padStart(6, "0")}`, piece);
  }
  return {
    async put(piece: Buffer) {
      waiting.push(piece);
      size += piece.length;
      if (size >= pieceBytes) await flush();
    },
    async end() {
      if (size > 0) await flush();
      return { bytes, sha256: hash.digest("hex") };
    },
  };
}

/** What comes out of an archive that was read to its end and found whole. */
export interface Archive {
  manifest: Manifest;
  kept: Map<string, Buffer>;
}

/**
 * Reads an archive from beginning to end, handing over the tables' pieces as they come, and compares what came with the
 * manifest. Throws ArchiveError for a file that is cut off, damaged, of a newer version, or no backup at all.
 */
export async function readArchive(
  file: string,
  take: (table: string, piece: Buffer) => Promise<void> = async () => {},
): Promise<Archive> {
  const tables = new Map<string, { hash: Hash; bytes: number }>();
  const kept = new Map<string, Buffer>();
  let manifest: Buffer | null = null;
  await eachEntry(file, async (name, bytes) => {
    const [, folder, inner = ""] = /^(tables|kept)\/([^/]+)/.exec(name) ?? [];
    if (name === manifestName) manifest = bytes;
    else if (folder === "kept") kept.set(inner, bytes);
    else if (folder === "tables") {
      const seen = tables.get(inner) ?? { hash: createHash("sha256"), bytes: 0 };
      seen.hash.update(bytes);
      seen.bytes += bytes.length;
      tables.set(inner, seen);
      await take(inner, bytes);
    } else throw notABackup(file);
  });
  if (manifest === null) throw tables.size > 0 ? cutOff(file) : notABackup(file);
  const read = readManifest(file, manifest);
  requireListed(file, tables.keys(), read.tables);
  requireListed(file, kept.keys(), read.kept);
  for (const { name, sha256, bytes } of read.tables) {
    const { hash = createHash("sha256"), bytes: found = 0 } = tables.get(name) ?? {};
    if (found !== bytes || hash.digest("hex") !== sha256) throw damaged(file, `the table ${name}`);
  }
  for (const { name, sha256 } of read.kept) {
    const found = createHash("sha256")
      .update(kept.get(name) ?? "")
      .digest("hex");
    if (found !== sha256) throw damaged(file, name);
  }
  return { manifest: read, kept };
}

/** What the manifest does not name was never saved by us, and is checked by nothing. */
function requireListed(file: string, names: Iterable<string>, listed: { name: string }[]): void {
  for (const found of names) if (!listed.some(({ name }) => name === found)) throw damaged(file, found);
}

async function eachEntry(file: string, take: (name: string, bytes: Buffer) => Promise<void>): Promise<void> {
  const extract = tar.extract();
  let failure: unknown;
  let entries = 0;
  const fed = pipeline(createReadStream(file), createGunzip(), extract).catch((error: unknown) => {
    failure ??= error;
  });
  let ours: unknown;
  try {
    for await (const entry of extract) {
      entries += 1;
      const { name, size = 0 } = entry.header;
      if (size > largestEntry) {
        ours = damaged(file, name);
        throw ours;
      }
      const pieces: Buffer[] = [];
      for await (const piece of entry) pieces.push(piece as Buffer);
      try {
        await take(name, Buffer.concat(pieces));
      } catch (error) {
        ours = error;
        throw error;
      }
    }
  } catch (error) {
    failure ??= error;
  }
  extract.destroy();
  await fed;
  if (ours !== undefined) throw ours;
  if (failure !== undefined) throw inWords(file, failure, entries);
}

function inWords(file: string, error: unknown, entries: number): unknown {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (code === "ENOENT") return new ArchiveError(`There is no file ${file}.`);
  if (code === "EISDIR") return new ArchiveError(`${file} is a folder; name the file of a backup.`);
  if (code === "EACCES") return new ArchiveError(`${file} may not be read by this user.`);
  if (/Unexpected end of data/.test(message) && entries === 0) return notABackup(file);
  if (code === "Z_BUF_ERROR" || /Unexpected end of data|Premature close|Writable stream closed/i.test(message)) {
    return cutOff(file);
  }
  if (code === "Z_DATA_ERROR" && /incorrect header check/.test(message)) return notABackup(file);
  if (code.startsWith("Z_")) return damaged(file, "its compressed content");
  if (/Invalid tar header/i.test(message)) return notABackup(file);
  return error;
}

function readManifest(file: string, bytes: Buffer): Manifest {
  const value = parseJson(bytes);
  const { format } = (typeof value === "object" && value !== null ? value : {}) as { format?: unknown };
  if (typeof format === "number" && format > archiveFormat) throw newer(file);
  const manifest = manifestShape.safeParse(value);
  if (!manifest.success) throw damaged(file, "its manifest");
  return manifest.data;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return null;
  }
}

export const newer = (file: string) =>
  new ArchiveError(
    `${file} was made by a newer version of Bellwether. Install that version, or a later one, and try again.`,
  );
const cutOff = (file: string) =>
  new ArchiveError(
    `${file} is cut off: its end is missing. Nothing was changed; take another backup, or copy this one again.`,
  );
const damaged = (file: string, what: string) =>
  new ArchiveError(`${file} is damaged: ${what} is not what was saved. Nothing was changed; take another backup.`);
const notABackup = (file: string) => new ArchiveError(`${file} is not a backup made by npm run backup.`);
