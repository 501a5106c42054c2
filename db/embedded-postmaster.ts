import fs from "node:fs";
import path from "node:path";

/** Which server runs in a cluster's folder, told from what only looks like one. */

const linux = process.platform === "linux";

function pidFile(dir: string): { pid: number; port: number; text: string } | null {
  try {
    const text = fs.readFileSync(path.join(dir, "postmaster.pid"), "utf8");
    const lines = text.split("\n");
    return { pid: Number(lines[0]), port: Number(lines[3]), text };
  } catch {
    return null;
  }
}

/** The running server of this folder. A postmaster's working directory is its cluster, which tells it from others. */
export function livePostmaster(dir: string): { pid: number; port: number } | null {
  const file = pidFile(dir);
  if (file === null || !isAlive(file.pid)) return null;
  return linux && workingDirectory(file.pid) !== realPath(dir) ? null : file;
}

/**
 * Containers hand out the same pids again, and one without an init process keeps a killed server as a zombie: the pid
 * file then names a living process that is not ours, and PostgreSQL would refuse to start for ever.
 */
export function removeForeignPidFile(dir: string): void {
  const file = pidFile(dir);
  if (!linux || file === null || !isAlive(file.pid) || livePostmaster(dir) !== null) return;
  if (pidFile(dir)?.text === file.text) fs.rmSync(path.join(dir, "postmaster.pid"), { force: true });
}

/** Backends that outlived a killed postmaster hold its shared memory until their query ends. */
export function killOrphans(dir: string): void {
  if (!linux) return;
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const isBackend = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("postgres: ");
      if (!isBackend || workingDirectory(Number(pid)) !== realPath(dir)) continue;
      const parent = Number(/^PPid:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
      if (workingDirectory(parent) !== realPath(dir)) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended meanwhile.
    }
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function workingDirectory(pid: number): string | null {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

export function realPath(file: string): string {
  return fs.existsSync(file) ? fs.realpathSync(file) : path.resolve(file);
}
