import { afterEach, describe, expect, it } from "vitest";
import { ZendeskClient } from "#lib/zendesk/client.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { useDatabase } from "#test/support/database.ts";
import { type Link, type LinkFaults, openLink } from "#test/support/link.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { HOUR } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";
import { unlimited } from "#test/zendesk/unlimited.ts";

const database = useDatabase();
const clients: ZendeskClient[] = [];
const servers: (Zendesk | Link)[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function setUp(options: Partial<ClientOptions> = {}, line: LinkFaults | null = null) {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  for (let n = 0; n < 3; n++) world.definitions.createGroup({ name: `Group ${n}` });
  const zendesk = await startZendesk({ worlds: [world] });
  servers.push(zendesk);
  const link = line && (await openLink(zendesk.origin, line));
  if (link) servers.unshift(link);
  const { email, token } = world.credentials;
  const header = `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`;
  const client = new ZendeskClient({
    urlTemplate: `${link?.origin ?? zendesk.origin}/{subdomain}`,
    isDefaultUrl: false,
    subdomain: "acme",
    authorization: { header: async () => header, renew: async () => null },
    limiter: unlimited,
    options: { sleep: async () => {}, random: () => 0, ...options },
  });
  clients.push(client);
  const groups = () => client.get("/api/v2/groups", { expect: "groups", query: { "page[size]": 100 } });
  return { zendesk, link, groups };
}

describe("a page that is cut", () => {
  it.each([
    ["plain", false, "content-length"],
    ["plain", false, "chunked"],
    ["plain", false, "close"],
    ["zipped", true, "content-length"],
    ["zipped", true, "chunked"],
    ["zipped", true, "close"],
  ] as const)("at any tenth byte is never taken for a whole one (%s, %s, %s)", async (_what, gzip, framing) => {
    const { zendesk, groups } = await setUp({ attempts: 1 });
    const whole = await groups();
    // The length of what is cut is that of the zipped bytes, which a cut beyond the end reveals.
    let taken = 0;
    for (let at = 1; at < whole.text.length && taken === 0; at += 10) {
      const cut = zendesk.faults.add({ path: "/api/v2/groups" }, fault.truncate(at, { gzip, framing }));
      const outcome = await groups().catch((error: unknown) => error);
      cut.remove();
      if (outcome instanceof ZendeskError) continue;
      expect(outcome).toMatchObject({ text: whole.text });
      taken = at;
    }
    if (taken > 0) expect(gzip).toBe(true);
    // Once more where the connection that the last cut closed was taken for this.
    expect(await groups().catch(groups)).toMatchObject({ text: whole.text });
  });
});

describe("a connection that was open", () => {
  it("and is reset in the moment it is used again costs a second request, not the answer", async () => {
    const { groups, link, zendesk } = await setUp({}, { resetReused: true });
    for (let n = 0; n < 10; n++) expect((await groups()).body).toHaveProperty("groups");
    expect(link?.resets).toBeGreaterThanOrEqual(5);
    expect(zendesk.journal.to("/api/v2/groups")).toHaveLength(10);
  });
});

describe("a slow and lossy line", () => {
  it("makes a run slower, and nothing else", async () => {
    const world = randomWorld(31, { tickets: 60, organizations: 8, days: 20, turmoil: false });
    const account = await connect(database, world);
    const link = await openLink(account.zendesk.origin, { delay: 8, jitter: 12, resets: 0.03, seed: 5 });
    servers.push(link);
    const through = { urlTemplate: `${link.origin}/{subdomain}` };
    for (let n = 0; n < 4; n++) {
      let outcome = await account.sync({ through });
      for (let turn = 0; outcome.waitingUntil && turn < 20; turn++) outcome = await account.sync({ through });
      expect(outcome.connectionFailure).toBeUndefined();
      world.advance(HOUR);
    }
    expect(link.resets).toBeGreaterThan(0);
    await account.sync();
    await expectConverged(account);
  });
});

describe("one address that breaks off every answer", () => {
  it("fails its stream, and the others are read (rows 62, 72)", async () => {
    const account = await connect(
      database,
      randomWorld(32, { tickets: 20, organizations: 4, days: 10, turmoil: false }),
    );
    const broken = account.zendesk.faults.add({ path: "/api/v2/incremental/organizations" }, fault.reset("body"));
    const outcome = await account.sync();
    expect(outcome.connectionFailure).toBeUndefined();
    const states = outcome.streams.map(({ name, state, failure }) => [name, state, failure?.code]);
    expect(states.filter(([, state]) => state === "failed")).toEqual([["organizations", "failed", "unreachable"]]);
    expect(states).toContainEqual(["tickets", "ok", undefined]);
    broken.remove();
    await account.sync();
    await expectConverged(account);
  });

  it("together with all others stops the account, which is told once", async () => {
    const account = await connect(database, randomWorld(33, { tickets: 5, organizations: 2, days: 5, turmoil: false }));
    let asked = 0;
    account.zendesk.faults.add({ path: "/api/v2/", when: () => ++asked > 5 }, fault.reset("body"));
    const outcome = await account.sync();
    expect(outcome.connectionFailure).toMatchObject({ code: "unreachable", transient: true });
    account.zendesk.faults.clear();
    await account.sync();
    await expectConverged(account);
  });

  it("while another account says who it is stops the account, and says that", async () => {
    const account = await connect(database, randomWorld(35, { tickets: 5, organizations: 2, days: 5, turmoil: false }));
    const { zendesk } = account;
    let isBroken = false;
    zendesk.faults.before({ path: "/api/v2/incremental/organizations" }, () => {
      isBroken = true;
    });
    zendesk.faults.add({ path: "/api/v2/incremental/organizations" }, fault.reset("body"));
    zendesk.faults.add(
      { path: "/api/v2/users/me", when: () => isBroken },
      fault.changesBody("somebody else", ({ user, ...body }) => ({
        ...body,
        user: { ...(user as object), id: 4711, email: "somebody@stranger.example" },
      })),
    );
    expect((await account.sync()).connectionFailure).toMatchObject({ code: "different_account" });
    zendesk.faults.clear();
    await account.sync();
    await expectConverged(account);
  });

  it("while Zendesk asks for patience waits as it is told, and fails nothing", async () => {
    const account = await connect(database, randomWorld(34, { tickets: 5, organizations: 2, days: 5, turmoil: false }));
    const { zendesk, world } = account;
    zendesk.faults.add({ path: "/api/v2/incremental/organizations" }, fault.reset("body"));
    let isBroken = false;
    zendesk.faults.before({ path: "/api/v2/incremental/organizations" }, () => {
      isBroken = true;
    });
    zendesk.faults.add(
      { path: "/api/v2/users/me", when: () => isBroken },
      fault.tooManyRequests({ retryAfter: "800" }),
      { times: 1 },
    );
    const { connectionFailure, waitingUntil, runId } = await account.sync();
    expect(connectionFailure).toBeUndefined();
    expect((waitingUntil?.getTime() ?? 0) - world.now()).toBeGreaterThanOrEqual(800_000);
    zendesk.faults.clear();
    world.advance((waitingUntil?.getTime() ?? 0) - world.now());
    await account.sync({ runId });
    await expectConverged(account);
  });
});
