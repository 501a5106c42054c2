import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";

const windows = process.platform === "win32";

/** The unprivileged account that runs PostgreSQL when we are root; empty for an ordinary user, who runs it as himself. */
export type Account = { uid: number; gid: number } | Record<string, never>;

export interface Place {
  account: Account;
  /** Folder with initdb, pg_ctl and postgres, which the account can execute. */
  bin: string;
  /** The cluster, under a parent that the account can reach. It may not exist yet. */
  dir: string;
}

/** Where binaries and data that the unprivileged account cannot reach in a private home live instead. */
const shelter = "/var/lib/embedded-postgres";

/**
 * Decides who runs PostgreSQL, from where, and where its files lie. As root this is another account than ours, which may
 * be unable to reach a checkout under a 0700 home: then the binaries are copied, once, and `dir` becomes a link to
 * a folder that the account can reach.
 */
export async function preparePlace(wanted: string): Promise<Place> {
  const account = unprivilegedAccount();
  const native = await nativeFolder();
  const dir = path.resolve(wanted);
  // Parent first and without a mode: 0700 on the parents would shut the account out.
  fs.mkdirSync(path.dirname(dir), { recursive: true });
  if (account.uid === undefined) return { account, bin: path.join(native, "bin"), dir: followLink(dir) };
  const bin = path.join(canRun(account, native) ? native : copyToShelter(native), "bin");
  return { account, bin, dir: reachable(account, dir) };
}

export function executable(place: Place, name: "initdb" | "pg_ctl"): string {
  return path.join(place.bin, windows ? `${name}.exe` : name);
}

async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${windows ? "windows" : process.platform}-${process.arch}`;
  const binaries: { pg_ctl: string } = await import(name).catch(() => {
    throw new Error(`There is no embedded PostgreSQL for this platform (${name}). Set DATABASE_URL instead.`);
  });
  const native = path.resolve(path.dirname(binaries.pg_ctl), "..");
  restoreLinks(native);
  return native;
}

/** What the package's install script does; we install without scripts (row 120). */
function restoreLinks(native: string): void {
  const list = path.join(native, "pg-symlinks.json");
  if (!fs.existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(fs.readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    const link = path.join(native, "..", target);
    if (!fs.existsSync(link)) unlessThere(() => fs.symlinkSync(path.basename(source), link));
  }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('Running as root, and neither "postgres" nor "nobody" exists. Set DATABASE_URL instead.');
}

function canRun(account: Account, native: string): boolean {
  return succeeds(account, path.join(native, "bin", "postgres"), ["--version"]);
}

function copyToShelter(native: string): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(native, "..", "package.json"), "utf8"));
  const copy = path.join(shelter, String(version));
  if (fs.existsSync(copy)) return copy;
  fs.mkdirSync(shelter, { recursive: true });
  const unfinished = `${copy}.${process.pid}`;
  fs.cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    fs.renameSync(unfinished, copy);
  } catch {
    fs.rmSync(unfinished, { recursive: true, force: true }); // another start was first
  }
  return copy;
}

function reachable(account: Account, dir: string): string {
  const linked = followLink(dir);
  if (linked !== dir) return linked;
  const parent = path.dirname(dir);
  if (canEnter(account, parent)) return dir;
  if (letGroupThrough(account, parent)) return dir;
  return linkToShelter(dir);
}

function followLink(dir: string): string {
  const isLink = fs.lstatSync(dir, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink ? path.resolve(path.dirname(dir), fs.readlinkSync(dir)) : dir;
}

/** A private parent of our own (`mktemp -d`): its files stay private, the account's group may only pass through. */
function letGroupThrough(account: Account, parent: string): boolean {
  const { uid, mode } = fs.statSync(parent);
  if (account.gid === undefined || uid !== 0 || (mode & 0o077) !== 0 || !canEnter(account, path.dirname(parent))) {
    return false;
  }
  fs.chownSync(parent, uid, account.gid);
  fs.chmodSync(parent, 0o710);
  return canEnter(account, parent);
}

/** The name is random, so that a data folder that was removed and made again does not find its predecessor's rows. */
function linkToShelter(dir: string): string {
  fs.mkdirSync(shelter, { recursive: true });
  if (fs.existsSync(dir)) fs.rmdirSync(dir);
  const target = path.join(shelter, `cluster-${randomBytes(9).toString("hex")}`);
  unlessThere(() => fs.symlinkSync(target, dir));
  return followLink(dir);
}

function canEnter(account: Account, folder: string): boolean {
  return succeeds(account, "test", ["-x", folder]);
}

function succeeds(account: Account, command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { ...account, cwd: "/", stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
