import fs from "node:fs";
import path from "node:path";
import type { Environment } from "#lib/config.ts";
import { type Child, startChild } from "#lib/launch/child.ts";
import { keep } from "#lib/launch/kept.ts";

/** The company that the stand-in Zendesk plays, in its own words. */
export interface Company {
  /** For ZENDESK_URL. */
  url: string;
  subdomain: string;
  credentials: { clientId: string; clientSecret: string };
  /** The fields by which its organizations and the accounts know each other, for the connection. */
  matchKeys?: object[];
  /** Its customer success team, for the workspace. */
  owners?: { name: string; email: string }[];
}

export interface StandIn {
  child: Child;
  /** Settles when it serves; rejects when it cannot. */
  company: Promise<Company>;
  /** Its accounts, in the form that the product imports. */
  accountsFile: string;
}

/**
 * Starts the stand-in Zendesk that feeds the demo. The company's history follows from the instant of the first start, which
 * is kept: a later start finds the same tickets, and those that came since. DEMO_SIZE=small makes it a small company.
 */
export function startStandIn(root: string, dataDir: string, env: Environment, now: Date): StandIn {
  const founded = keep(path.join(dataDir, "demo-founded"), now.toISOString()).trim();
  const accountsFile = path.join(dataDir, "demo-accounts.csv");
  const script = path.join(root, "test", "support", "zendesk", "main.ts");
  const size = env.DEMO_SIZE ? ["--size", env.DEMO_SIZE] : [];
  const args = [script, "--port", "0", "--json", "--founded", founded, "--accounts-out", accountsFile, ...size];
  let tell: (line: string) => void = () => {};
  const told = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const child = startChild(["--import", "tsx", ...args], { cwd: root, env, onLine: (line) => tell(line) });
  const ended = child.ended.then(() => {
    throw new Error("The demo's stand-in Zendesk ended. DEMO=0 starts without it.");
  });
  return { child, accountsFile, company: Promise.race([told, ended]).then((line) => JSON.parse(line)) };
}

/** Fills an empty demo workspace as an administrator would; the first sync starts with the connection. */
export async function fillDemo(product: string, apiKey: string, standIn: StandIn): Promise<void> {
  const { subdomain, credentials, matchKeys, owners = [] } = await standIn.company;
  const call = (method: string, resource: string, body: object) =>
    send(method, `${product}/api/v1/${resource}`, apiKey, "application/json", JSON.stringify(body));

  for (const { name, email } of owners) {
    // Those whom a filling that broke off has added already are in conflict with themselves.
    await call("POST", "users", { name, email, role: "csm" }).catch((error) => {
      if (!(error instanceof RefusedError && error.status === 409)) throw error;
    });
  }
  const accounts = fs.readFileSync(standIn.accountsFile, "utf8");
  await send("POST", `${product}/api/v1/accounts/import`, apiKey, "text/csv", accounts);
  const { clientId, clientSecret } = credentials;
  const auth = { type: "oauth_client_credentials", clientId, clientSecret };
  // Written to only for its webhook: a change shows within seconds.
  const connection = await call("POST", "connections", { kind: "zendesk", subdomain, auth, access: "read_write" });
  if (matchKeys) await call("PUT", `connections/${connection.id}/match-keys`, { keys: matchKeys });
}

async function send(method: string, url: string, apiKey: string, type: string, body: string): Promise<{ id?: string }> {
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": type };
  const answer = await fetch(url, { method, headers, body });
  const text = await answer.text();
  if (!answer.ok)
    throw new RefusedError(answer.status, `${method} ${new URL(url).pathname} answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}

class RefusedError extends Error {
  override name = "RefusedError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
