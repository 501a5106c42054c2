import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { Config } from "#lib/config.ts";

const root = path.resolve(import.meta.dirname, "..", "..");

type Ending = number | NodeJS.Signals | null;

/** Another process of the installation, doing what a server does in the background. */
export interface BackgroundProcess {
  /** Ends it as the operating system does when it must: nothing is said and nothing cleaned up. */
  kill(): Promise<void>;
  /** Asks it to end; its exit code, or the signal that ended it. */
  end(): Promise<Ending>;
}

export function startProcess(config: Config, databaseUrl: string): BackgroundProcess {
  const child = spawn(process.execPath, ["--import", "tsx", path.join(root, "test/jobs/process-main.ts")], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      DATA_DIR: config.dataDir,
      ZENDESK_URL: config.zendesk.urlTemplate,
      SCHEDULER: config.scheduler,
      AUTH_SECRET: config.secrets.auth,
      ENCRYPTION_KEY: config.secrets.encryption,
      CRON_SECRET: config.secrets.cron,
      LOG_LEVEL: "silent",
    },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const ended = new Promise<Ending>((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  return {
    kill: () => signal(child, "SIGKILL", ended).then(() => undefined),
    end: () => signal(child, "SIGTERM", ended),
  };
}

function signal(child: ChildProcess, name: NodeJS.Signals, ended: Promise<Ending>): Promise<Ending> {
  child.kill(name);
  return ended;
}
