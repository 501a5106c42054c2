import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import type { Environment } from "#lib/config.ts";

export interface Child {
  /** Settles when the process has ended, with its exit code (1 where a signal ended it). */
  ended: Promise<number>;
  /** Asks it to end, and ends it after 18 seconds: with the database behind it, 20 are not exceeded (row 84). */
  stop(): Promise<void>;
}

const patienceMilliseconds = 18_000;
const followParent = path.join(import.meta.dirname, "follow-parent.mjs");

/**
 * Starts a Node.js process that ends when we do, even when we are killed. Its standard output comes line by line to
 * `onLine`; its errors go where ours go.
 */
export function startChild(
  args: string[],
  options: { cwd: string; env: Environment; onLine: (line: string) => void },
): Child {
  const child = spawn(process.execPath, ["--import", followParent, ...args], {
    cwd: options.cwd,
    env: { ...(options.env as NodeJS.ProcessEnv), BELLWETHER_LAUNCHER: String(process.pid) },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  passLines(child, options.onLine);
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject).once("exit", (code) => resolve(code ?? 1));
  });
  return {
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const force = setTimeout(() => child.kill("SIGKILL"), patienceMilliseconds);
      child.kill("SIGTERM");
      await ended;
      clearTimeout(force);
    },
  };
}

function passLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
}
