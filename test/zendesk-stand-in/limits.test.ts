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

it("limits how often one ticket, one user and one organization are written, each in words of its own", async () => {
  const world = new World();
  zendesk = await startZendesk({ worlds: [world], limits: { perTicket: 1, perUser: 1, perOrganization: 1 } });
  const client = clientOf(zendesk);
  const { id: ticket } = world.tickets.create();
  const { id: user } = world.users.create({ name: "Ann" });
  const { id: organization } = world.organizations.create({ name: "Acme" });
  const answers = [];
  for (const [path, row] of [
    [`/tickets/${ticket}`, "ticket"],
    [`/users/${user}`, "user"],
    [`/organizations/${organization}`, "organization"],
  ] as const) {
    const update = () => client.send("PUT", `/api/v2${path}`, { [row]: { notes: "N" } });
    expect((await update()).status).toBe(200);
    answers.push(await update());
  }
  expect(answers.map(({ status }) => status)).toEqual([429, 429, 429]);
  const [ofTicket, ofUser, ofOrganization] = answers;
  expect(ofTicket?.headers.get("zendesk-ratelimit-per-ticket-updates")).toMatch(/^total=1; remaining=0; resets=\d+$/);
  expect(Number(ofTicket?.headers.get("retry-after"))).toBeGreaterThan(60);
  expect(ofUser?.text).toBe("Rate limit for updating a single unique user exceeded");
  expect(ofOrganization?.json.errors[0]?.code).toBe("TooManyRequests");
  expect(zendesk.effects.of("user")).toHaveLength(1);
});

it("limits all updates of tickets, and users created or updated in one second", async () => {
  const world = new World();
  let now = 0;
  zendesk = await startZendesk({ worlds: [world], limits: { ticketUpdates: 2, now: () => now } });
  const client = clientOf(zendesk);
  const update = () =>
    client.send("PUT", `/api/v2/tickets/${world.tickets.create().id}`, { ticket: { priority: "low" } });
  const upsert = (email: string) =>
    client.send("POST", "/api/v2/users/create_or_update", { user: { name: "N", email } });
  expect([await update(), await update(), await update()].map(({ status }) => status)).toEqual([200, 200, 429]);
  expect((await update()).headers.get("zendesk-ratelimit-tickets-update")).toMatch(/^total=2; remaining=0;/);
  expect([await upsert("a@acme.com"), await upsert("b@acme.com")].map(({ status }) => status)).toEqual([201, 429]);
  now += 1000;
  expect((await upsert("b@acme.com")).status).toBe(201);
});

it("keeps the budget of customer events apart from the account's", async () => {
  const world = new World();
  zendesk = await startZendesk({ worlds: [world], limits: { sunshine: 2, account: 2 } });
  const client = clientOf(zendesk);
  const events = `/api/v2/users/${world.users.create({ name: "Ann" }).id}/events`;
  const reads = [await client.get(events), await client.get(events), await client.get(events)];
  expect(reads.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(reads[0]?.headers.get("x-rate-limit")).toBeNull();
  expect((await client.get("/api/v2/groups")).headers.get("x-rate-limit-remaining")).toBe("1");
});
