import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import type { Config } from "#lib/config.ts";

const root = path.resolve(import.meta.dirname, "..", "..");

type Ending = number | NodeJS.Signals | null;

/** Another process of the installation, doing what a server does in the background. */
export interface BackgroundProcess {
  pid: number;
  /** Settles when it has ended, however that came. */
  ended: Promise<Ending>;
  /** Ends it as the operating system does when it must: nothing is said and nothing cleaned up. */
  kill(): Promise<void>;
  /** Asks it to end; its exit code, or the signal that ended it. */
  end(): Promise<Ending>;
  /** SIGSTOP and SIGCONT: it stands still, and knows nothing of it afterwards. */
  freeze(): void;
  thaw(): void;
  /** The lines of its log so far, at level info. */
  logged: { msg: string; [field: string]: unknown }[];
}

export function startProcess(
  config: Config,
  databaseUrl: string,
  options: { silenceMs?: number; nodeArgs?: string[]; script?: "process-main.ts" | "serving-main.ts" } = {},
): BackgroundProcess {
  const script = path.join(root, "test", "jobs", options.script ?? "process-main.ts");
  const args = options.silenceMs === undefined ? [] : [String(options.silenceMs)];
  const child = spawn(process.execPath, [...(options.nodeArgs ?? []), "--import", "tsx", script, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      DATA_DIR: config.dataDir,
      ZENDESK_URL: config.zendesk.urlTemplate,
      SCHEDULER: config.scheduler,
      AUTH_SECRET: config.secrets.auth,
      ENCRYPTION_KEY: config.secrets.encryption,
      CRON_SECRET: config.secrets.cron,
      LOG_LEVEL: "info",
    },
  });
  const logged: BackgroundProcess["logged"] = [];
  createInterface({ input: child.stdout }).on("line", (line) => logged.push(JSON.parse(line)));
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const ended = new Promise<Ending>((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  return {
    pid: child.pid ?? 0,
    ended,
    kill: () => signal(child, "SIGKILL", ended).then(() => undefined),
    end: () => signal(child, "SIGTERM", ended),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    logged,
  };
}

function signal(child: ChildProcess, name: NodeJS.Signals, ended: Promise<Ending>): Promise<Ending> {
  child.kill(name);
  return ended;
}
