import { afterEach, expect, test } from "vitest";
import { type Authorization, ZendeskClient } from "#lib/zendesk/client.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { unlimited } from "#test/zendesk/unlimited.ts";

const opened: (ZendeskClient | Zendesk)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const path = "/api/v2/webhooks";
const webhook = { name: "A", endpoint: "https://a.example/", subscriptions: ["zen:event-type:user.created"] };
const quick = { connect: 500, headers: 300, idle: 200, total: 900 };

async function setUp(authorization?: (right: string) => Authorization, limiter = unlimited) {
  const world = new World();
  const zendesk = await startZendesk({ worlds: [world] });
  const { email, token } = world.credentials;
  const right = `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`;
  const blocked: number[] = [];
  const client = new ZendeskClient({
    urlTemplate: zendesk.url,
    isDefaultUrl: false,
    subdomain: world.subdomain,
    authorization: authorization?.(right) ?? { header: async () => right, renew: async () => null },
    limiter: { ...limiter, block: async (milliseconds) => void blocked.push(milliseconds) },
    options: { sleep: async () => {}, random: () => 0, deadlines: quick },
  });
  opened.push(client, zendesk);
  const create = () => client.write("POST", path, { webhook }, { expect: "webhook" });
  return { world, zendesk, client, create, blocked };
}

test("sends a body once, and gives the answer, or null where there is none", async () => {
  const { world, zendesk, client, create } = await setUp();
  const answer = await create();
  expect(answer?.body).toMatchObject({ webhook: { name: "A", status: "active" } });
  const [id] = [...world.webhooks.byId.keys()];
  expect(await client.write("PATCH", `${path}/${id}`, { webhook: { name: "B" } })).toBeNull();
  expect(await client.write("DELETE", `${path}/${id}`)).toBeNull();
  expect(zendesk.journal.entries.map(({ method, status }) => [method, status])).toEqual([
    ["POST", 201],
    ["PATCH", 204],
    ["DELETE", 204],
  ]);
});

test.each([
  ["a cut connection", fault.reset("headers")],
  ["an answer that stops in the middle", fault.truncate(0.5, { framing: "content-length" })],
  ["silence", fault.hang()],
  ["408", fault.status(408)],
  ["502", fault.status(502)],
  ["503", fault.status(503)],
  ["504", fault.html(504)],
  ["a page of HTML with 200", fault.notAPage("html")],
] as const)("after %s nobody knows whether it happened, and it is not sent again", async (_name, kind) => {
  const { zendesk, create } = await setUp();
  zendesk.faults.add({ method: "POST", path }, kind);
  await expect(create()).rejects.toMatchObject({ code: "outcome_unknown", transient: true });
  expect(zendesk.journal.to(path)).toHaveLength(1);
});

test.each([[400], [403], [404], [409], [421], [422], [425]])("%i is final: its words, one request", async (status) => {
  const { zendesk, create } = await setUp();
  zendesk.faults.add({ method: "POST", path }, fault.status(status, { error: "Because", description: "of it" }));
  await expect(create()).rejects.toMatchObject({ status, said: "Because – of it" });
  expect(zendesk.journal.to(path)).toHaveLength(1);
});

test("a 429 sends nothing again: the account is blocked for as long as Zendesk says, and the caller waits", async () => {
  const { zendesk, create, blocked } = await setUp();
  zendesk.faults.add({ method: "POST", path }, fault.tooManyRequests({ retryAfter: "30" }));
  await expect(create()).rejects.toBeInstanceOf(WaitNeeded);
  expect(blocked).toEqual([30_000]);
  expect(zendesk.journal.to(path)).toHaveLength(1);
});

test("a 503 that names its time blocks the account as well, and nobody knows whether it happened (row 96)", async () => {
  const { zendesk, create, blocked } = await setUp();
  zendesk.faults.add({ method: "POST", path }, fault.status(503, {}, { "retry-after": "30" }));
  const told = create();
  await expect(told).rejects.toMatchObject({ code: "outcome_unknown", cause: expect.any(WaitNeeded) });
  expect(blocked).toEqual([30_000]);
  expect(zendesk.journal.to(path)).toHaveLength(1);
});

test("a redirect is followed nowhere", async () => {
  const { zendesk, create } = await setUp();
  zendesk.faults.add({ method: "POST", path }, fault.redirect(307, zendesk.origin));
  await expect(create()).rejects.toMatchObject({ code: "account_moved" });
  expect(zendesk.journal.entries).toHaveLength(1);
});

test("a rejected token is renewed once, since nothing happened with it", async () => {
  let renewals = 0;
  const { zendesk, create } = await setUp((right) => ({
    header: async () => (renewals > 0 ? right : "Bearer expired"),
    renew: async () => {
      renewals++;
      return right;
    },
  }));
  expect((await create())?.body).toHaveProperty("webhook");
  expect(zendesk.journal.entries.map(({ status }) => status)).toEqual([401, 201]);
  zendesk.faults.add({ method: "POST", path }, fault.unauthorized("bearer"));
  await expect(create()).rejects.toMatchObject({ code: "credentials_rejected" });
});

test("draws from the budgets of what it changes, and of the endpoint", async () => {
  const drawn: unknown[][] = [];
  const limiter = {
    ...unlimited,
    take: (...asked: Parameters<typeof unlimited.take>) => {
      drawn.push(["take", ...asked]);
      return unlimited.take(...asked);
    },
    learn: async (endpoint: string, _headers: object, target?: string) => void drawn.push(["learn", endpoint, target]),
  };
  const { world, client, create } = await setUp(undefined, limiter);
  await create();
  const [id] = [...world.webhooks.byId.keys()];
  drawn.length = 0;
  await client.write("PATCH", `${path}/${id}`, { webhook: {} }, { endpoint: "ticket_update", target: "17" });
  expect(drawn).toEqual([
    ["take", "ticket_update", "17"],
    ["learn", "ticket_update", "17"],
  ]);
});
