import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Environment, LaunchConfig } from "#lib/config.ts";
import { type Child, startChild } from "#lib/launch/child.ts";
import type { Secrets } from "#lib/launch/kept.ts";

export interface ServerSettings {
  config: LaunchConfig;
  /** The plain role's address of a migrated database. */
  databaseUrl: string;
  secrets: Secrets;
  dataDir: string;
  port: number;
  zendeskUrl: string;
}

/** What the server process is told: everything decided, nothing left to a default, and no administrator's password. */
export function serverEnvironment(env: Environment, settings: ServerSettings): Environment {
  const { config, databaseUrl, secrets, dataDir, port, zendeskUrl } = settings;
  const { ADMIN_EMAIL: _email, ADMIN_PASSWORD: _password, ...inherited } = env;
  return {
    ...inherited,
    DATABASE_URL: databaseUrl,
    DATABASE_EMBEDDED: config.database.url === null ? "1" : "0",
    DATA_DIR: dataDir,
    AUTH_SECRET: secrets.auth,
    ENCRYPTION_KEY: secrets.encryption,
    CRON_SECRET: secrets.cron,
    ZENDESK_URL: zendeskUrl,
    DEMO: config.demo ? "1" : "0",
    PORT: String(port),
    HOST: config.server.host,
    HOSTNAME: config.server.host,
    LOG_LEVEL: env.LOG_LEVEL || (process.stdout.isTTY ? "warn" : "info"),
    NEXTAUTH_SECRET: secrets.auth,
    NEXT_TELEMETRY_DISABLED: "1",
    // Without a public address the request's own host decides, else every sign-in would lead to localhost:3000.
    ...(config.server.publicUrl ? { NEXTAUTH_URL: config.server.publicUrl } : { AUTH_TRUST_HOST: "1" }),
  };
}

const inFront = path.join(import.meta.dirname, "doors-in-front.mjs");

/** Starts the built server, or with `dev` the development server. */
export function startServer(root: string, env: Environment, dev: boolean): Child {
  const onLine = (line: string) => {
    if (dev || !isBanner(line)) process.stdout.write(`${line}\n`);
  };
  if (dev) {
    const next = path.join(root, "node_modules", "next", "dist", "bin", "next");
    const args = [next, "dev", "--hostname", env.HOSTNAME ?? "", "--port", env.PORT ?? ""];
    return startChild(args, { cwd: root, env: { ...env, NODE_ENV: "development" }, onLine });
  }
  // The path is resolved, so that a build made through a link finds its own packages.
  const server = fs.realpathSync(path.join(root, ".next", "standalone", "server.js"));
  return startChild(["--import", pathToFileURL(inFront).href, server], {
    cwd: root,
    env: { ...env, NODE_ENV: "production" },
    onLine,
  });
}

/** The framework's greeting; ours says the same and names the sign-in. */
function isBanner(line: string): boolean {
  return /^\s*$|^\s*(▲ Next\.js|✓ (Starting|Ready|Running)|- (Local|Network):)/.test(line);
}
