import { afterEach, describe, expect, it } from "vitest";
import { ZendeskClient } from "#lib/zendesk/client.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import type { Limiter } from "#lib/zendesk/limits.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { Fault } from "#test/support/zendesk/faults.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { unlimited } from "#test/zendesk/unlimited.ts";

const clients: ZendeskClient[] = [];
const servers: Zendesk[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const path = "/api/v2/users/me";

async function setUp(options: Partial<ClientOptions> = {}) {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const zendesk = await startZendesk({ worlds: [world] });
  servers.push(zendesk);
  const { email, token } = world.credentials;
  const header = `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`;
  const blocked: number[] = [];
  const limiter: Limiter = { ...unlimited, block: async (wait) => void blocked.push(wait) };
  const slept: number[] = [];
  let renewals = 0;
  const client = new ZendeskClient({
    urlTemplate: zendesk.url,
    isDefaultUrl: false,
    subdomain: "acme",
    authorization: { header: async () => header, renew: async () => (renewals++ < 1 ? header : null) },
    limiter,
    options: {
      sleep: async (ms) => void slept.push(ms),
      random: () => 0,
      deadlines: { connect: 500, headers: 300, idle: 200, total: 900 },
      ...options,
    },
  });
  clients.push(client);
  const me = () => client.get(path, { expect: "user" }).catch((error: unknown) => error);
  return { zendesk, client, blocked, slept, me };
}

/** A refusal, and what becomes of its body. */
const refusal = (status: number, headers: Record<string, string> = {}) =>
  fault.status(status, { error: "Injected" }, headers);
const broken: [string, (status: number, headers?: Record<string, string>) => Fault[]][] = [
  [
    "is said to be zipped and is not",
    (status, headers) => [refusal(status, { ...headers, "content-encoding": "gzip" })],
  ],
  [
    "has an encoding that nobody knows",
    (status, headers) => [refusal(status, { ...headers, "content-encoding": "br" })],
  ],
  ["is reset in the middle", (status, headers) => [refusal(status, headers), fault.reset("body")]],
  ["is cut off", (status, headers) => [refusal(status, headers), fault.truncate(0.5)]],
  ["never comes", (status, headers) => [refusal(status, headers), fault.silenceAfterHeaders()]],
];

describe.each(broken)("a refusal of which the body %s", (_what, faults) => {
  it.each([429, 503])("(%i) keeps everybody silent for as long as its headers say (row 1)", async (status) => {
    const { zendesk, blocked, slept, me } = await setUp();
    for (const each of faults(status, { "retry-after": "20" })) zendesk.faults.add({ path }, each, { times: 1 });
    expect(await me()).toMatchObject({ body: { user: { role: "admin" } } });
    expect(blocked).toEqual([20_000]);
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(20_000);
    expect(zendesk.journal.to(path)).toHaveLength(2);
  });

  it("(401) is asked for once more with another token, and then given up (row 61)", async () => {
    const { zendesk, me } = await setUp();
    for (const each of faults(401)) zendesk.faults.add({ path }, each);
    expect(await me()).toMatchObject({ code: "credentials_rejected", scope: "connection" });
    expect(zendesk.journal.to(path)).toHaveLength(2);
  });

  it("(429) says of a write that it did not happen", async () => {
    const { zendesk, client, blocked } = await setUp();
    for (const each of faults(429, { "retry-after": "20" })) zendesk.faults.add({ path }, each);
    await expect(client.write("POST", path, {})).rejects.toBeInstanceOf(WaitNeeded);
    expect(blocked).toEqual([20_000]);
  });
});

it("a success of which the body breaks is still no answer", async () => {
  const { zendesk, me } = await setUp({ attempts: 2 });
  zendesk.faults.add({ path }, fault.reset("body"));
  expect(await me()).toBeInstanceOf(ZendeskError);
  expect(zendesk.journal.to(path)).toHaveLength(2);
});
