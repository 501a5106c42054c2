import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import pg from "pg";

const root = path.resolve(import.meta.dirname, "..", "..");
const startSeconds = 240;

/** Starts the product as `npm start` does, with data of its own that are gone after `stop`. Needs a PORT. */
export async function startProduct(variables: Record<string, string>): Promise<{ stop: () => Promise<void> }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-e2e-"));
  const database = process.env.DATABASE_URL ? await createDatabase(process.env.DATABASE_URL) : null;
  const product = spawn(process.execPath, [path.join(root, "lib", "launch", "start.mjs")], {
    cwd: root,
    env: {
      NODE_ENV: "production",
      ...withoutProductVariables(process.env),
      ...(database?.environment ?? {}),
      DATA_DIR: path.join(folder, "data"),
      ...variables,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = async () => {
    await end(product);
    await database?.drop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    await welcomed(product);
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function welcomed(product: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const timer = setTimeout(() => reject(new Error(`Bellwether did not start:\n${said}`)), startSeconds * 1000);
    for (const stream of [product.stdout, product.stderr]) {
      stream?.on("data", (chunk) => {
        said = `${said}${chunk}`.slice(-20_000);
        if (said.includes("could not be filled")) return reject(new Error(said));
        if (!said.includes("Bellwether is ready")) return;
        clearTimeout(timer);
        resolve();
      });
    }
    product.once("exit", () => reject(new Error(`Bellwether ended at once:\n${said}`)));
  });
}

async function end(product: ChildProcess): Promise<void> {
  if (product.exitCode !== null || product.signalCode !== null) return;
  const ended = new Promise((resolve) => product.once("exit", resolve));
  product.kill("SIGTERM");
  await ended;
}

/** What the developer's shell sets for a product of his own must not reach the one under test. */
function withoutProductVariables(env: NodeJS.ProcessEnv) {
  const ours = /^(ADMIN|AUTH|NEXTAUTH|OIDC|ZENDESK|DATABASE|DEMO|BOOTSTRAP)_|^(ENCRYPTION_KEY|CRON_SECRET|SCHEDULER)$/;
  const others = /^(HOST|HOSTNAME|PUBLIC_URL|LOG_LEVEL|NODE_ENV|DEMO)$/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name) && !others.test(name)));
}

async function createDatabase(server: string) {
  const name = `e2e_${randomBytes(6).toString("hex")}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await administer(server, `create database ${name}`);
  const secret = () => randomBytes(32).toString("hex");
  return {
    environment: { DATABASE_URL: url.href, AUTH_SECRET: secret(), ENCRYPTION_KEY: secret(), CRON_SECRET: secret() },
    drop: () => administer(server, `drop database if exists ${name} with (force)`),
  };
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** A port on which nothing listens now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
