import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/**
 * Who holds a lease: one process. `instance` outlives the process (it is kept in the data directory), so that the next
 * process of the same installation knows a lease of its predecessor from one of a neighbour.
 */
export interface Holder {
  instance: string;
  pid: number;
  nonce: string;
}

/** The name of a holder in the database. */
export const holderName = (holder: Holder): string => `${holder.instance}/${holder.pid}/${holder.nonce}`;

/**
 * The holder that this process is. The host's name is part of the instance: two containers that share a data directory
 * cannot see each other's process ids.
 */
export function thisHolder(dataDir: string | null): Holder {
  return {
    instance: `${keptInstance(dataDir)}@${hostname()}`,
    pid: process.pid,
    nonce: randomBytes(8).toString("hex"),
  };
}

/** True when `name` is certainly a dead process of our own installation; false when it may live. */
export function isFormerSelf(name: string, self: Holder, isAlive: (pid: number) => boolean = processIsAlive): boolean {
  const [instance, pid, nonce] = name.split("/");
  if (instance !== self.instance || nonce === self.nonce) return false;
  return Number(pid) === self.pid || !isAlive(Number(pid));
}

function keptInstance(dataDir: string | null): string {
  const fresh = randomBytes(8).toString("hex");
  if (dataDir === null) return fresh;
  const file = join(dataDir, "instance");
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, fresh, { flag: "wx", mode: 0o600 });
    return fresh;
  } catch {
    return readInstance(file) ?? fresh;
  }
}

function readInstance(file: string): string | null {
  try {
    const kept = readFileSync(file, "utf8").trim();
    return /^[0-9a-f]{16}$/.test(kept) ? kept : null;
  } catch {
    return null;
  }
}

/** Where nobody reaps them (a container whose first process is the shell), the killed stay in the process table. */
function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false; // no /proc on this system
  }
}

function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // EPERM: it lives and belongs to another user.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
