import { afterEach, expect, it } from "vitest";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { clientOf } from "./client.ts";

let zendesk: Zendesk;
afterEach(() => zendesk.close());

const tickets = "/api/v2/incremental/tickets/cursor?start_time=0";
const events = "/api/v2/incremental/ticket_events?start_time=0";
const users = "/api/v2/incremental/users/cursor?start_time=0";

it("announces the account's budget and that of the endpoint on every answer", async () => {
  zendesk = await startZendesk({ worlds: [new World()], limits: { multiplier: 100 } });
  const { headers } = await clientOf(zendesk).get(tickets);
  expect(headers.get("x-rate-limit")).toBe("70000");
  expect(headers.get("x-rate-limit-remaining")).toBe("69999");
  expect(headers.get("ratelimit-limit")).toBe("70000");
  expect(headers.get("ratelimit-remaining")).toBe("69999");
  expect(Number(headers.get("ratelimit-reset"))).toBeGreaterThan(0);
  expect(headers.get("zendesk-ratelimit-incremental-exports")).toMatch(/^total=1000; remaining=999; resets=\d+$/);
});

it("announces nothing and refuses nothing without limits", async () => {
  zendesk = await startZendesk({ worlds: [new World()] });
  const client = clientOf(zendesk);
  for (let i = 0; i < 15; i++) {
    const { status, headers } = await client.get(tickets);
    expect(status).toBe(200);
    expect([...headers.keys()].filter((name) => name.includes("ratelimit") || name.includes("rate-limit"))).toEqual([]);
  }
});

it("shares one export budget of 10 between the exports and keeps the users' cursor export apart at 20", async () => {
  zendesk = await startZendesk({ worlds: [new World()], limits: {} });
  const client = clientOf(zendesk);
  for (let i = 0; i < 10; i++) expect((await client.get(i % 2 ? tickets : events)).status).toBe(200);
  const refused = await client.get(tickets);
  expect([refused.status, refused.json.error]).toEqual([429, "APIRateLimitExceeded"]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(Number(refused.headers.get("x-rate-limit-remaining"))).toBeGreaterThan(600);
  for (let i = 0; i < 20; i++) expect((await client.get(users)).status).toBe(200);
  expect((await client.get(users)).status).toBe(429);
});

it("refuses the whole account in plain text, account by account, and counts neighbours", async () => {
  const worlds = [new World(), new World({ subdomain: "globex" })];
  zendesk = await startZendesk({ worlds, limits: { account: 5 } });
  zendesk.limits?.neighbour("acme", "account", 4);
  const client = clientOf(zendesk, "acme");
  expect((await client.get("/api/v2/groups")).status).toBe(200);
  const refused = await client.get("/api/v2/groups");
  expect(refused.status).toBe(429);
  expect(refused.headers.get("content-type")).toContain("text/plain");
  expect(refused.text).toBe("Number of allowed API requests per minute exceeded");
  expect((await clientOf(zendesk, "globex").get("/api/v2/groups")).status).toBe(200);
});

it("opens again when the window is over", async () => {
  zendesk = await startZendesk({ worlds: [new World()], limits: { incremental: 1, windowMilliseconds: 300 } });
  const client = clientOf(zendesk);
  expect((await client.get(tickets)).status).toBe(200);
  expect((await client.get(tickets)).status).toBe(429);
  await expect.poll(async () => (await client.get(tickets)).status).toBe(200);
});
