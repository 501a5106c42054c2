import { randomBytes } from "node:crypto";
import { test as base, type Page } from "@playwright/test";
import { callApi, expect, type Listed, signInAs, withoutComplaints } from "#test/e2e/product.ts";
import { freePort, startProduct } from "#test/e2e/started-product.ts";
import { type Demo, startDemo } from "#test/support/zendesk/demo.ts";

interface Stream {
  name: string;
  state: string;
  freshThrough: string | null;
  held: number;
}
export interface ConnectionAnswer {
  id: string;
  state: string;
  streams: Stream[];
  absences: { stream: string; rows: number; held: number }[];
  webhook: { state: string };
}
interface RunAnswer {
  id: string;
  state: string;
  mode: string;
}

/** A product of its own, connected to a Zendesk whose account the test itself moves. */
export interface Ground {
  demo: Demo;
  /** `/connections/{id}` */
  path: string;
  api<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  connection(): Promise<ConnectionAnswer>;
  /** Runs to the end; answers how it ended. */
  sync(mode: "incremental" | "reconcile"): Promise<string>;
}

type Served = Ground & { base: string; password: string };
const email = "ada@example.com";
const runSeconds = 90;

export const test = base.extend<{ ground: Ground }, { served: Served }>({
  served: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs
    async ({}, use) => {
      const demo = await startDemo({ size: "small" });
      const port = await freePort();
      const password = `pass-${randomBytes(9).toString("hex")}`;
      const key = randomBytes(32).toString("hex");
      const product = await startProduct({
        PORT: String(port),
        DEMO: "0",
        ZENDESK_URL: demo.zendesk.url,
        ADMIN_EMAIL: email,
        ADMIN_PASSWORD: password,
        BOOTSTRAP_API_KEY: key,
      });
      const url = `http://127.0.0.1:${port}`;
      try {
        await use({ ...(await connect(demo, url, key)), base: url, password });
      } finally {
        await product.stop();
        await demo.zendesk.close();
      }
    },
    { scope: "worker", timeout: 360_000 },
  ],
  baseURL: async ({ served }, use) => use(served.base),
  page: async ({ page, served }, use) => {
    await page.goto("/sign-in");
    await signInAs(page, email, served.password);
    await withoutComplaints(page, use);
  },
  ground: async ({ served }, use) => use(served),
});

/** Accounts, connection and keys, until the first read is through and changes arrive by webhook. */
async function connect(demo: Demo, base: string, key: string): Promise<Ground> {
  const api = <Answer>(method: string, path: string, body?: unknown) =>
    callApi<Answer>(base, key, method, `/api/v1${path}`, body);
  await api("POST", "/accounts/bulk", { accounts: demo.accounts });
  const { clientId, clientSecret } = demo.world.credentials;
  const { id } = await api<ConnectionAnswer>("POST", "/connections", {
    kind: "zendesk",
    subdomain: demo.world.subdomain,
    access: "read_write",
    auth: { type: "oauth_client_credentials", clientId, clientSecret },
  });
  await api("PUT", `/connections/${id}/match-keys`, { keys: demo.matchKeys });
  const connection = () => api<ConnectionAnswer>("GET", `/connections/${id}`);
  await expect(async () => {
    const { streams, webhook } = await connection();
    expect(streams.map(({ freshThrough }) => freshThrough)).not.toContain(null);
    expect(webhook.state).toBe("active");
  }).toPass({ timeout: 180_000, intervals: [1_000] });

  const ended = async (runId: string) => {
    let state = "";
    await expect(async () => {
      ({ state } = await api<RunAnswer>("GET", `/connections/${id}/runs/${runId}`));
      expect(["succeeded", "failed", "interrupted"]).toContain(state);
    }).toPass({ timeout: runSeconds * 1000, intervals: [500] });
    return state;
  };
  const sync = async (mode: "incremental" | "reconcile"): Promise<string> => {
    const { runId } = await api<{ runId: string }>("POST", `/connections/${id}/sync`, { mode });
    const state = await ended(runId);
    const { items } = await api<Listed<RunAnswer>>("GET", `/connections/${id}/runs`);
    // The answer may have named a run of another kind that was at work.
    return items.find((run) => run.id === runId)?.mode === mode ? state : sync(mode);
  };
  return { demo, path: `/connections/${id}`, api, connection, sync };
}

/** What must not be lost while a screen renews itself: marks the document, so that a reload would show. */
export async function markDocument(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => document.documentElement.setAttribute("data-mark", "same"));
  return async () => expect(await page.locator("html").getAttribute("data-mark")).toBe("same");
}
