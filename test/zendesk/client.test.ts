import dns from "node:dns";
import { type AddressInfo, createServer } from "node:net";
import tls from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PageTooHeavy, ZendeskClient } from "#lib/zendesk/client.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { unlimited } from "#test/zendesk/unlimited.ts";

const clients: ZendeskClient[] = [];
const servers: Pick<Zendesk, "close">[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const quick = { connect: 500, headers: 300, idle: 200, total: 900 };

async function setUp(options: Partial<ClientOptions> = {}) {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const zendesk = await startZendesk({ worlds: [world] });
  servers.push(zendesk);
  const slept: number[] = [];
  /** What was slept after each request. */
  const waits: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
    const request = zendesk.journal.entries.length - 1;
    waits[request] = (waits[request] ?? 0) + ms;
  };
  const total = () => slept.reduce((sum, ms) => sum + ms, 0);
  const { email, token } = world.credentials;
  const header = `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`;
  const client = new ZendeskClient({
    urlTemplate: zendesk.url,
    isDefaultUrl: false,
    subdomain: "acme",
    authorization: { header: async () => header, renew: async () => null },
    limiter: unlimited,
    options: { sleep, random: () => 0, deadlines: quick, ...options },
  });
  clients.push(client);
  const me = () => client.get("/api/v2/users/me", { expect: "user" });
  return { world, zendesk, client, header, slept, waits, total, me };
}

const failureOf = (answer: Promise<unknown>) =>
  answer.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => error,
  );

/** Who is signed in, asked for at another address. */
function clientOf(urlTemplate: string, options: Partial<ClientOptions>, header = "Bearer canary") {
  const client = new ZendeskClient({
    urlTemplate,
    isDefaultUrl: false,
    subdomain: "acme",
    authorization: { header: async () => header, renew: async () => null },
    limiter: unlimited,
    options: { sleep: async () => {}, random: () => 0, deadlines: quick, ...options },
  });
  clients.push(client);
  return () => client.get("/api/v2/users/me", { expect: "user" });
}

describe("the client", () => {
  it("answers with JSON and Zendesk's own clock", async () => {
    const { me, client } = await setUp();
    const answer = await me();
    expect(answer.body).toMatchObject({ user: { role: "admin" } });
    expect(Math.abs(answer.requestedAt.getTime() - Date.parse("2026-03-02T09:00:00Z"))).toBeLessThan(5000);
    expect(Math.abs(client.serverNow().getTime() - Date.parse("2026-03-02T09:00:00Z"))).toBeLessThan(5000);
  });

  it.each(["html", "empty", "null", "list", "error", "error beside rows", "no-content", "part"] as const)(
    "asks again after a 200 that is no answer (%s), and says so when it stays",
    async (kind) => {
      const { me, zendesk } = await setUp();
      const once = zendesk.faults.add({ path: "/api/v2/users/me" }, fault.notAPage(kind), { times: 1 });
      expect((await me()).body).toHaveProperty("user");
      expect(once.strikes).toBe(1);
      zendesk.faults.add({ path: "/api/v2/users/me" }, fault.notAPage(kind));
      const error = await failureOf(me());
      expect(error).toBeInstanceOf(ZendeskError);
      expect(error).toMatchObject({ code: kind === "html" ? "not_zendesk" : "protocol" });
    },
  );

  it("asks again after every status that passes, and never after one that does not", async () => {
    for (const status of [408, 409, 425, 500, 502, 503, 504, 520, 524, 599]) {
      const { me, zendesk } = await setUp();
      zendesk.faults.add({ path: "/api/v2/users/me" }, fault.status(status), { times: 2 });
      expect((await me()).body).toHaveProperty("user");
      expect(zendesk.journal.to("/api/v2/users/me")).toHaveLength(3);
    }
    for (const status of [400, 402, 403, 404, 410, 418, 422, 451]) {
      const { me, zendesk } = await setUp();
      zendesk.faults.add({ path: "/api/v2/users/me" }, fault.status(status));
      expect(await failureOf(me())).toMatchObject({ name: "ZendeskError", status });
      expect(zendesk.journal.to("/api/v2/users/me")).toHaveLength(1);
    }
  });

  it("gives up after a bounded number of attempts, naming the thing and the remedy", async () => {
    const { me, zendesk, slept } = await setUp();
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.html(502));
    const error = await failureOf(me());
    expect(error).toMatchObject({ code: "unavailable", transient: true, action: expect.stringMatching(/resumes/) });
    expect(zendesk.journal.to("/api/v2/users/me")).toHaveLength(5);
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(15_000);
  });

  it.each([
    ["3", 3000],
    ["", 1000],
    ["0", 1000],
    ["-5", 1000],
    ["soon", 1000],
    [null, 1000],
    [new Date(Date.parse("2026-03-02T09:00:00Z") - 90_000).toUTCString(), 1000],
  ])("after a 429 with Retry-After %j waits before the same request", async (retryAfter, least) => {
    const { me, zendesk, total } = await setUp();
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter }), { times: 1 });
    await me();
    expect(total()).toBe(least);
    expect(zendesk.journal.to("/api/v2/users/me").map((entry) => entry.status)).toEqual([429, 200]);
  });

  it.each([
    [new Date(Date.parse("2026-03-02T09:00:00Z") + 90_000).toUTCString(), 85_000, 90_000],
    ["2592000", 900_000, 900_000],
  ])("makes a longer wait a scheduled one (%s)", async (retryAfter, least, most) => {
    const now = new Date("2026-03-02T09:00:00Z");
    const { me, zendesk, slept } = await setUp({ clock: () => now });
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter }));
    const wait = await failureOf(me());
    expect(wait).toBeInstanceOf(WaitNeeded);
    const length = (wait as WaitNeeded).until.getTime() - now.getTime();
    expect(length).toBeGreaterThanOrEqual(least);
    expect(length).toBeLessThanOrEqual(most);
    expect(slept).toEqual([]);
    expect(zendesk.journal.to("/api/v2/users/me")).toHaveLength(1);
  });

  it("waits as told by a 503, and as a 429 in HTML without a word", async () => {
    const { me, zendesk, total } = await setUp();
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.status(503, {}, { "retry-after": "7" }), { times: 1 });
    await me();
    expect(total()).toBe(7000);
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter: null, body: "html" }), {
      times: 2,
    });
    await me();
    expect(total()).toBe(7000 + 1000 + 2000);
  });

  it("turns 429 without end into a wait rather than a loop", async () => {
    const { me, zendesk } = await setUp();
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter: "2" }));
    expect(await failureOf(me())).toBeInstanceOf(WaitNeeded);
    expect(zendesk.journal.to("/api/v2/users/me").length).toBeLessThanOrEqual(5);
  });

  it.each([301, 302, 307, 308] as const)("follows no redirect (%i): the account has moved", async (status) => {
    const { me, zendesk } = await setUp();
    const other = await startZendesk({ worlds: [new World({ subdomain: "acme" })] });
    servers.push(other);
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.redirect(status, `${other.origin}/acme`));
    expect(await failureOf(me())).toMatchObject({ code: "account_moved", scope: "connection", about: "subdomain" });
    expect(other.journal.entries).toEqual([]);
  });

  it.each([
    ["never answers", fault.hang()],
    ["stops after its headers", fault.silenceAfterHeaders()],
    ["dribbles", fault.dribble(40)],
    ["is slower than its deadline", fault.slow(3000)],
    ["resets after the connection", fault.reset("accept")],
    ["resets after its headers", fault.reset("headers")],
    ["resets within its body", fault.reset("body")],
  ])("an answer that %s is asked for again, then given up", async (_what, kind) => {
    const { me, zendesk, waits } = await setUp({ attempts: 3 });
    const once = zendesk.faults.add({ path: "/api/v2/users/me" }, kind, { times: 1 });
    expect((await me()).body).toHaveProperty("user");
    expect([once.strikes, zendesk.journal.to("/api/v2/users/me").length]).toEqual([1, 2]);
    const always = zendesk.faults.add({ path: "/api/v2/users/me" }, kind);
    const began = performance.now();
    expect(await failureOf(me())).toMatchObject({ code: "unreachable", scope: "connection", transient: true });
    // Three times the longest of the deadlines, and what the machine takes.
    expect(performance.now() - began).toBeLessThan(3 * quick.total + 4000);
    expect([always.strikes, zendesk.journal.to("/api/v2/users/me").length]).toEqual([3, 5]);
    expect(Object.values(waits)).toEqual([1000, 1000, 2000]);
  });

  it("names the address that cannot be reached", async () => {
    const { client, zendesk } = await setUp({ attempts: 2 });
    await zendesk.close();
    const error = await failureOf(client.get("/api/v2/users/me", { expect: "user" }));
    expect(error).toMatchObject({
      code: "unreachable",
      scope: "connection",
      transient: true,
      message: expect.stringContaining("127.0.0.1"),
    });
  });

  it("looks a name up again that was not found, then gives up", async () => {
    const { zendesk, header } = await setUp();
    const names: string[] = [];
    let unknown = 1;
    // Sockets ask for one address or for all of them.
    const lookUp = (name: string, { all }: dns.LookupOptions, done: (...found: unknown[]) => void) => {
      names.push(name);
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
      if (unknown-- > 0) done(error);
      else if (all) done(null, [{ address: "127.0.0.1", family: 4 }]);
      else done(null, "127.0.0.1", 4);
    };
    vi.spyOn(dns, "lookup").mockImplementation(lookUp as never);
    const get = clientOf(zendesk.url.replace("127.0.0.1", "acme.zendesk.example"), { attempts: 3 }, header);
    expect((await get()).status).toBe(200);
    expect(names).toEqual(Array(2).fill("acme.zendesk.example"));
    unknown = Number.POSITIVE_INFINITY;
    names.length = 0;
    const elsewhere = clientOf(zendesk.url.replace("127.0.0.1", "nowhere.zendesk.example"), { attempts: 3 });
    expect(await failureOf(elsewhere())).toMatchObject({
      code: "unreachable",
      scope: "connection",
      transient: true,
      message: expect.stringMatching(/nowhere\.zendesk\.example.*ENOTFOUND/),
    });
    expect(names).toEqual(Array(3).fill("nowhere.zendesk.example"));
  });

  it.each([
    ["has no certificate", () => tls.createServer({})],
    ["speaks no TLS at all", () => createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))],
  ])("asks a server again that %s, then gives up, having said nothing in the clear", async (_what, make) => {
    const server = make();
    let asked = 0;
    let heard = "";
    server.on("tlsClientError", () => {});
    server.on("connection", (socket) => {
      asked++;
      socket.on("error", () => {});
      socket.on("data", (bytes: Buffer) => {
        heard += bytes.toString("latin1");
      });
    });
    await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
    servers.push({ close: () => new Promise<void>((closed) => void server.close(() => closed())) });
    const { port } = server.address() as AddressInfo;
    const get = clientOf(`https://127.0.0.1:${port}/{subdomain}`, { attempts: 3 });
    expect(await failureOf(get())).toMatchObject({
      code: "unreachable",
      scope: "connection",
      transient: true,
      message: expect.stringContaining(`https://127.0.0.1:${port}`),
    });
    expect(asked).toBe(3);
    expect(heard).not.toMatch(/canary|users\/me/);
  });

  it("never takes a cut answer for a whole one, zipped or not, however it was framed", async () => {
    const { world, zendesk, client } = await setUp({ attempts: 1 });
    for (let n = 0; n < 5; n++) world.definitions.createGroup({ name: `Group ${n}` });
    const groups = () => client.get("/api/v2/groups", { expect: "groups", query: { "page[size]": 100 } });
    const whole = (await groups()).text.length;
    for (const gzip of [false, true]) {
      for (const framing of ["content-length", "chunked", "close"] as const) {
        for (let share = 0.03; share < 1; share += 0.16) {
          const active = zendesk.faults.add({ path: "/api/v2/groups" }, fault.truncate(share, { gzip, framing }));
          const outcome = await groups().then(
            (answer) => answer.text.length,
            (error: unknown) => error,
          );
          expect(outcome, `${framing} ${gzip ? "gzip" : "plain"} at ${share}`).toBeInstanceOf(ZendeskError);
          active.remove();
        }
      }
    }
    expect((await groups()).text.length).toBe(whole);
  });

  it("reads zipped answers, and holds no more of them than its cap", async () => {
    const { world, zendesk, client } = await setUp({ largestBody: 20_000 });
    zendesk.faults.add(
      { path: "/api/v2/groups" },
      { label: "gzip", effects: [{ kind: "transport", transport: { kind: "gzip" } }] },
    );
    world.definitions.createGroup({ name: "Small" });
    const groups = (shrinkable: boolean) =>
      client.get("/api/v2/groups", { expect: "groups", query: { "page[size]": 100 }, shrinkable });
    expect((await groups(true)).body).toHaveProperty("groups");
    world.definitions.createGroup({ name: "x".repeat(50_000) });
    expect(await failureOf(groups(true))).toBeInstanceOf(PageTooHeavy);
    expect(await failureOf(groups(false))).toMatchObject({ code: "too_large", scope: "stream" });
    zendesk.faults.clear();
    expect(await failureOf(groups(false))).toMatchObject({ code: "too_large" });
  });

  it("tells a heavy page from an outage: 504 and 413 ask for a smaller one", async () => {
    const { zendesk, client } = await setUp();
    const groups = () =>
      client.get("/api/v2/groups", { expect: "groups", query: { "page[size]": 100 }, shrinkable: true });
    zendesk.faults.add({ path: "/api/v2/groups" }, fault.status(413), { times: 1 });
    expect(await failureOf(groups())).toBeInstanceOf(PageTooHeavy);
    zendesk.faults.add({ path: "/api/v2/groups" }, fault.status(504));
    expect(await failureOf(groups())).toBeInstanceOf(PageTooHeavy);
  });

  it("puts Zendesk's words and the missing scope into the message", async () => {
    const { me, zendesk } = await setUp();
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.forbidden("scope"), { times: 1 });
    expect(await failureOf(me())).toMatchObject({
      code: "missing_scope",
      message: expect.stringContaining("required scopes: read"),
    });
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.forbidden("titled"), { times: 1 });
    expect(await failureOf(me())).toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("You do not have access"),
    });
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.html(404));
    expect(await failureOf(me())).toMatchObject({ code: "unknown_subdomain", scope: "connection", about: "subdomain" });
  });

  it("stops sleeping when its time is over, and at once when it is told to stop", async () => {
    const { me, zendesk, total } = await setUp({ deadline: () => true });
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.tooManyRequests({ retryAfter: "20" }));
    expect(await failureOf(me())).toBeInstanceOf(WaitNeeded);
    expect(total()).toBe(1000);

    const stop = new AbortController();
    const stopped = await setUp({ signal: stop.signal });
    stopped.zendesk.faults.add({ path: "/api/v2/users/me" }, fault.hang());
    const answer = failureOf(stopped.me());
    setTimeout(() => stop.abort(), 50);
    expect(await answer).toBeInstanceOf(WaitNeeded);
  });

  it("refuses a default address that leads to this machine, before a byte is sent", async () => {
    const { zendesk } = await setUp();
    const client = new ZendeskClient({
      urlTemplate: zendesk.url.replace("127.0.0.1", "localhost"),
      isDefaultUrl: true,
      subdomain: "acme",
      authorization: { header: async () => "Bearer canary", renew: async () => null },
      limiter: unlimited,
      options: { sleep: async () => {} },
    });
    clients.push(client);
    const error = await failureOf(client.get("/api/v2/users/me", { expect: "user" }));
    expect(error).toMatchObject({ code: "unreachable", message: expect.stringContaining("private address") });
    expect(zendesk.journal.entries).toEqual([]);
  });
});

describe("the length of a wait", () => {
  /** The least and the longest wait of each attempt, and what is added to any that a 429 asks for. */
  const doubling = (...seconds: number[]) => seconds.map((least) => [least * 1000, least * 2000 + 1000] as const);
  it.each([
    ["a 429 that names 3 seconds", fault.tooManyRequests({ retryAfter: "3" }), [[3000, 4000]]],
    ["a 429 that names 20 seconds", fault.tooManyRequests({ retryAfter: "20" }), [[20_000, 21_000]]],
    ["a 503 that names 7 seconds", fault.status(503, {}, { "retry-after": "7" }), [[7000, 8000]]],
    ["a 429 without a time", fault.tooManyRequests({ retryAfter: null }), doubling(1, 2, 4, 8)],
    ["a 429 of the edge", fault.tooManyRequests({ retryAfter: null, body: "html" }), doubling(1, 2, 4, 8)],
    ["a 502", fault.html(502), doubling(1, 2, 4, 8)],
    ["a broken connection", fault.reset("accept"), doubling(1, 2, 4, 8)],
    ["a 200 that is no answer", fault.notAPage("null"), doubling(1, 2, 4, 8)],
  ] as const)(
    "after %s is another one by chance, never less than told and never much more",
    async (_what, kind, bounds) => {
      const lots = [0, 0.25, 0.5, 0.75, 0.999];
      const waited: number[][] = [];
      for (const lot of lots) {
        const { me, zendesk, waits } = await setUp({ random: () => lot });
        zendesk.faults.add({ path: "/api/v2/users/me" }, kind, { times: bounds.length });
        await me();
        waited.push(waits);
      }
      for (const [attempt, [least, most]] of bounds.entries()) {
        const waits = waited.map((of) => of[attempt] as number);
        expect(new Set(waits).size).toBe(lots.length);
        expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
        expect(waits[0]).toBe(least);
        // What was drawn is added to the wait that a 429 leaves to us, too.
        expect(Math.max(...waits)).toBeLessThanOrEqual(most + 1000);
      }
    },
  );

  it("is drawn anew for each attempt and each client, unless a test says what is drawn", async () => {
    const { random } = defaultClientOptions;
    const waited = await Promise.all(
      [1, 2, 3].map(async () => {
        const { me, zendesk, waits } = await setUp({ random });
        zendesk.faults.add({ path: "/api/v2/users/me" }, fault.html(502), { times: 4 });
        await me();
        return waits;
      }),
    );
    const shares = waited.flatMap((waits) => waits.map((wait, attempt) => wait / (1000 * 2 ** attempt)));
    expect(shares).toHaveLength(12);
    expect(new Set(shares).size).toBe(12);
    for (const share of shares) expect(share >= 1 && share < 2).toBe(true);
  });
});
