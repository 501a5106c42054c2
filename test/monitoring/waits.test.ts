import { afterEach, beforeEach, expect, test } from "vitest";
import { processMetrics } from "#lib/monitoring/registry.ts";
import { ZendeskClient } from "#lib/zendesk/client.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import { DatabaseLimiter } from "#lib/zendesk/limits.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const database = useDatabase();
let zendesk: Zendesk;
let before: Record<string, number>;
let slept: number;
let now: number;
beforeEach(async () => {
  zendesk = await startZendesk({ worlds: [new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" })] });
  before = await counted();
  slept = 0;
  now = Date.parse("2026-03-02T09:00:00Z");
});
afterEach(() => zendesk.close());

/** Seconds by reason, over all kinds of requests. */
async function counted(): Promise<Record<string, number>> {
  const lines = (await processMetrics()).matchAll(
    /^bellwether_limiter_wait_seconds_total\{bucket="incremental",reason="(\w+)"\} (\S+)$/gm,
  );
  return Object.fromEntries([...lines].map(([, reason, value]) => [reason, Number(value)]));
}
async function grown(): Promise<Record<string, number>> {
  const after = Object.entries(await counted()).map(
    ([reason, value]) => [reason, value - (before[reason] ?? 0)] as const,
  );
  return Object.fromEntries(
    after.filter(([, value]) => value > 0).map(([reason, value]) => [reason, Number(value.toFixed(3))]),
  );
}

async function ask(times: number): Promise<void> {
  const { email, token } = zendesk.world().credentials;
  const clock = () => new Date(now);
  const client = new ZendeskClient({
    urlTemplate: zendesk.url,
    isDefaultUrl: false,
    subdomain: "acme",
    authorization: {
      header: async () => `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`,
      renew: async () => null,
    },
    limiter: new DatabaseLimiter(database.db, zendesk.url, { documentedLimits: true, clock }),
    options: {
      clock,
      sleep: async (milliseconds) => {
        slept += milliseconds;
        now += milliseconds;
      },
      random: () => 0,
      longestSleep: 120_000,
    },
  });
  try {
    for (let n = 0; n < times; n++) await client.get("/api/v2/users/me", { expect: "user", endpoint: "incremental" });
  } finally {
    await client.close();
  }
}

test("a rate budget that is used up is waited for, and counted as that", async () => {
  await ask(9);
  expect(slept).toBeGreaterThan(1000);
  expect(await grown()).toEqual({ budget: slept / 1000 });
});

test("a 429 that says how long is counted as that", async () => {
  zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter: "7" }), { times: 1 });
  await ask(1);
  expect(await grown()).toEqual({ told: 7 });
});

test("a failure that is tried again is counted as that", async () => {
  zendesk.faults.add({ path: "/api/v2/users/me" }, fault.status(502, {}), { times: 1 });
  await ask(1);
  expect(slept).toBeGreaterThan(0);
  expect(await grown()).toEqual({ retry: slept / 1000 });
});

test("a wait that is too long for anybody to wait in place is not counted, but its rest by whoever does", async () => {
  zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter: "600" }), { times: 1 });
  await expect(ask(1)).rejects.toBeInstanceOf(WaitNeeded);
  expect(await grown()).toEqual({});
  // Nor of the next one, who learns of it before he asks.
  await expect(ask(1)).rejects.toBeInstanceOf(WaitNeeded);
  expect(await grown()).toEqual({});
  now += 595_000;
  await ask(1);
  expect(await grown()).toEqual({ told: 5 });
});
