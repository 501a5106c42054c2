import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { oddDates, poison } from "#test/support/zendesk/poison.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { basic, clientOf, type TestClient } from "./client.ts";

let zendesk: Zendesk;
let world: World;
let client: TestClient;

beforeAll(async () => {
  zendesk = await startZendesk({ worlds: [new World()], control: true });
});
afterAll(() => zendesk.close());
beforeEach(() => {
  world = new World();
  zendesk.serve(world);
  zendesk.faults.clear();
  zendesk.journal.clear();
  client = clientOf({ ...zendesk, world: () => world });
  for (let i = 0; i < 6; i++) world.tickets.create({ subject: `Ticket ${i}` });
  world.advance(2 * MINUTE);
});

const path = "/api/v2/incremental/tickets/cursor";
const first = `${path}.json?start_time=0&per_page=2`;
const following = (cursor: string) => `${path}.json?cursor=${encodeURIComponent(cursor)}&per_page=2`;

describe("which requests a fault meets", () => {
  it("is decided by page, and a repeated request is the same page again", async () => {
    const second = zendesk.faults.add({ path, page: 2 }, fault.status(503), { times: 2 });
    const one = await client.get(first);
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await client.get(following(one.json.after_cursor))).status);
    expect([one.status, ...statuses]).toEqual([200, 503, 503, 200]);
    expect(second.strikes).toBe(2);
    expect(zendesk.journal.to(path).map((entry) => entry.page)).toEqual([1, 2, 2, 2]);
  });

  it("is decided by number, subdomain, query and a function of one's own", async () => {
    zendesk.faults.add({ path, nth: 2 }, fault.status(500));
    zendesk.faults.add({ subdomain: "other" }, fault.status(501));
    zendesk.faults.add({ query: { include: /metric/ } }, fault.status(502));
    zendesk.faults.add({ when: (request) => request.headers["x-try"] === "1" }, fault.status(504));
    expect((await client.get(first)).status).toBe(200);
    expect((await client.get(first)).status).toBe(500);
    expect((await client.get(`${first}&include=metric_sets`)).status).toBe(502);
    expect((await client.get("/api/v2/users/me", { "x-try": "1" })).status).toBe(504);
  });

  it("is decided by a seeded probability, the same each time", async () => {
    const strikes = async () => {
      zendesk.faults.clear();
      const active = zendesk.faults.add({ path }, fault.status(500), { probability: 0.5, seed: 3 });
      for (let i = 0; i < 20; i++) await client.get(first);
      return active.strikes;
    };
    const count = await strikes();
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(17);
    expect(await strikes()).toBe(count);
  });
});

describe("answers that are wrong", () => {
  it("are 429 with any Retry-After and any body", async () => {
    for (const retryAfter of ["3", "soon", "-5", "2592000", "Mon, 02 Mar 2026 09:01:30 GMT", null]) {
      for (const body of ["account", "incremental", "user", "organization", "html"] as const) {
        zendesk.faults.clear();
        zendesk.faults.add({ path }, fault.tooManyRequests({ retryAfter, body }));
        const answer = await client.get(first);
        expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, retryAfter]);
        expect(answer.text.length).toBeGreaterThan(10);
      }
    }
  });

  it("are any status, in each envelope, as HTML, empty, null, a list, an error or 204", async () => {
    const cases: [ReturnType<typeof fault.status>, number, string][] = [
      [fault.html(502), 502, "<!DOCTYPE html>"],
      [fault.forbidden("scope"), 403, '{"error":"Forbidden","description"'],
      [fault.forbidden("titled"), 403, '{"error":{"title":"Forbidden"'],
      [fault.forbidden("listed"), 403, '{"errors":[{"code":"Forbidden"'],
      [fault.unauthorized("token"), 401, '{"error":"Couldn\'t authenticate you"}'],
      [fault.notAPage("html"), 200, "<!DOCTYPE html>"],
      [fault.notAPage("empty"), 200, ""],
      [fault.notAPage("null"), 200, "null"],
      [fault.notAPage("list"), 200, "[]"],
      [fault.notAPage("error"), 200, '{"error"'],
      [fault.notAPage("no-content"), 204, ""],
    ];
    for (const [kind, status, beginning] of cases) {
      zendesk.faults.clear();
      zendesk.faults.add({ path }, kind);
      const answer = await client.get(first);
      expect([answer.status, answer.text.slice(0, beginning.length)]).toEqual([status, beginning]);
    }
  });

  it("send elsewhere with every redirect status", async () => {
    for (const code of [301, 302, 307, 308] as const) {
      zendesk.faults.clear();
      zendesk.faults.add({ path }, fault.redirect(code, "http://127.0.0.2:1/renamed/"));
      const answer = await client.get(first);
      expect(answer.status).toBe(code);
      expect(answer.headers.get("location")).toMatch(/^http:\/\/127\.0\.0\.2:1\/renamed\/api\/v2\/incremental/);
    }
  });

  it("lack end_of_stream, are empty before the end, or refuse the cursor", async () => {
    zendesk.faults.add({ path, nth: 1 }, fault.withoutKeys("end_of_stream"));
    zendesk.faults.add({ path, nth: 2 }, fault.emptyPage());
    zendesk.faults.add({ path, nth: 3 }, fault.cursorRejected(404));
    const one = await client.get(first);
    expect(one.json).not.toHaveProperty("end_of_stream");
    const next = following(one.json.after_cursor);
    const empty = await client.get(next);
    expect(empty.json).toMatchObject({ tickets: [], end_of_stream: false, after_cursor: one.json.after_cursor });
    expect((await client.get(next)).status).toBe(404);
    expect((await client.get(next)).json.tickets).toHaveLength(2);
  });

  it("fail above a page size and succeed below it", async () => {
    zendesk.faults.add({ path }, fault.tooHeavy(250));
    expect((await client.get(`${path}?start_time=0`)).status).toBe(504);
    expect((await client.get(`${path}?start_time=0&per_page=250`)).status).toBe(200);
  });

  it("repeat rows on the next page, or hold one row twice", async () => {
    zendesk.faults.add({ path }, fault.repeatsRows(1));
    const one = await client.get(first);
    const two = await client.get(following(one.json.after_cursor));
    expect(two.json.tickets.map((row) => row.id)).toEqual([2, 3, 4]);
    zendesk.faults.clear();
    zendesk.faults.add(
      { path },
      fault.sameRowTwice((row) => ({ ...row, subject: "Older" }), "older-last"),
    );
    const twice = await client.get(first);
    expect(twice.json.tickets.map((row) => [row.id, row.subject])).toEqual([
      [1, "Ticket 0"],
      [1, "Older"],
      [2, "Ticket 1"],
    ]);
  });

  it("name other hosts when told to", async () => {
    zendesk.faults.add(
      { path },
      fault.changesBody("elsewhere", (body) => ({ ...body, after_url: "http://evil.example" })),
    );
    expect((await client.get(first)).json.after_url).toBe("http://evil.example");
  });
});

describe("connections that break", () => {
  const failing = async () =>
    client.get(first).then(
      () => "answered",
      () => "failed",
    );

  it("are reset before, within and after the headers", async () => {
    for (const moment of ["accept", "headers", "body"] as const) {
      zendesk.faults.clear();
      zendesk.faults.add({ path }, fault.reset(moment));
      expect(await failing()).toBe("failed");
    }
    expect(zendesk.journal.to(path).map((entry) => entry.status)).toEqual([null, 200, 200]);
  });

  it("hang before the headers, after them, or dribble", async () => {
    for (const kind of [fault.hang(), fault.silenceAfterHeaders(), fault.dribble(10)]) {
      zendesk.faults.clear();
      zendesk.faults.add({ path }, kind);
      const base = zendesk.url.replace("{subdomain}", "acme");
      const asked = fetch(`${base}${first}`, { signal: AbortSignal.timeout(200) }).then((answer) => answer.text());
      await expect(asked).rejects.toThrow(/abort|timeout/i);
    }
  });

  it("cut the body at any byte; without a length the cut looks like an end", async () => {
    const whole = (await client.get(first)).text;
    for (const framing of ["content-length", "chunked"] as const) {
      zendesk.faults.clear();
      zendesk.faults.add({ path }, fault.truncate(100, { framing }));
      expect(await failing()).toBe("failed");
    }
    zendesk.faults.clear();
    zendesk.faults.add({ path }, fault.truncate(100, { framing: "close" }));
    expect((await client.get(first)).text).toBe(whole.slice(0, 100));
  });

  it("cut a compressed body as well", async () => {
    zendesk.faults.add({ path }, fault.travels({ kind: "gzip" }), { times: 1 });
    const whole = await client.get(first);
    expect([whole.headers.get("content-encoding"), whole.json.tickets.length]).toEqual(["gzip", 2]);
    zendesk.faults.add({ path }, fault.truncate(0.5, { gzip: true }));
    expect(await failing()).toBe("failed");
    expect(() => gunzipSync(Buffer.from("no gzip"))).toThrow();
  });
});

describe("worlds that move meanwhile", () => {
  it("change between two pages", async () => {
    zendesk.faults.before({ path, page: 2 }, () => void world.tickets.delete("1"));
    const one = await client.get(first);
    expect(one.json.tickets[0]).toMatchObject({ id: 1, status: "new" });
    await client.get(following(one.json.after_cursor));
    world.advance(2 * MINUTE);
    const { json } = await client.get(`${path}?start_time=0`);
    expect(json.tickets.at(-1)).toMatchObject({ id: 1, status: "deleted" });
  });

  it("lose their token in the moment of a request", async () => {
    zendesk.faults.add(
      { path, page: 2 },
      fault.inTheMoment("token ends", () => world.access.apiTokens.clear()),
    );
    const one = await client.get(first);
    expect((await client.get(following(one.json.after_cursor))).status).toBe(401);
  });

  it("are exchanged behind the subdomain", async () => {
    zendesk.faults.before({ path, nth: 2 }, () => zendesk.serve(new World({ ids: { other: 777 } })));
    await client.get(first);
    await client.get(first);
    expect((await client.get("/api/v2/users/me")).json.user.id).toBeLessThan(1000);
  });
});

describe("poison", () => {
  it("stands in the body byte for byte", async () => {
    const read = async () => {
      const base = zendesk.url.replace("{subdomain}", "acme");
      const { credentials } = world;
      const authorization = `Basic ${Buffer.from(`${credentials.email}/token:${credentials.token}`).toString("base64")}`;
      const answer = await fetch(`${base}${first}`, { headers: { authorization } });
      return Buffer.from(await answer.arrayBuffer());
    };
    const holds = async (bytes: string | Buffer) => expect((await read()).includes(bytes)).toBe(true);
    world.distort("ticket", "1", poison.nul());
    await holds(String.raw`"subject":"before\u0000after"`);
    world.distort("ticket", "1", poison.loneSurrogate());
    await holds(String.raw`broken \ud83d emoji`);
    world.distort("ticket", "1", poison.invalidUtf8());
    await holds(Buffer.from([0x20, 0xc3, 0x28, 0x20]));
    world.distort("ticket", "1", poison.hostileKeys());
    await holds(`"__proto__":{"polluted":true}`);
    world.distort("ticket", "1", poison.bareId("9223372036854775808"));
    await holds(`"id":9223372036854775808,`);
    world.distort("ticket", "1", poison.textId("9007199254740993"));
    await holds(`"id":"9007199254740993"`);
    world.distort("ticket", "1", poison.deep(10_000));
    await holds(`"metadata":${"[".repeat(10_000)}`);
    for (const date of oddDates) {
      world.distort("ticket", "1", poison.oddDate("updated_at", date));
      await holds(`"updated_at":${JSON.stringify(date)}`);
    }
    world.distort("ticket", "1", poison.missing("tags", "priority"));
    expect((await client.get(first)).json.tickets[0]).not.toHaveProperty("tags");
  });

  it("is cured by a version of its own", async () => {
    world.distort("ticket", "1", poison.wrongType());
    expect((await client.get(first)).json.tickets[0]?.subject).toEqual({ not: "text" });
    world.heal("ticket", "1");
    world.advance(2 * MINUTE);
    const { json } = await client.get(`${path}?start_time=0`);
    expect(json.tickets.at(-1)).toMatchObject({ id: 1, subject: "Ticket 0" });
  });
});

describe("the journal", () => {
  it("tells each request with what it carried, but never the credentials", async () => {
    await client.get(`${first}&include=metric_sets`);
    await client.get("/api/v2/users/me", {});
    const [one, two] = zendesk.journal.entries;
    const { email, token } = world.credentials;
    expect(one).toMatchObject({
      method: "GET",
      subdomain: "acme",
      path,
      query: { start_time: "0", per_page: "2", include: "metric_sets" },
      authorization: "basic",
      status: 200,
    });
    expect(two?.authorization).toBe("none");
    expect(JSON.stringify(zendesk.journal.entries)).not.toContain(basic(email, token).authorization);
  });
});

describe("control from another process", () => {
  const control = async (method: string, at: string, body?: unknown) => {
    const answer = await fetch(`${zendesk.origin}/_stand-in${at}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };

  it("moves the clock, changes rows, adds and takes away faults, reads the journal", async () => {
    expect((await control("POST", "/worlds/acme/clock", { advance: 60_000 })).json.now).toBe(
      "2026-03-02T09:03:00.000Z",
    );
    await control("POST", "/worlds/acme/call", { call: "tickets.update", arguments: ["1", { priority: "urgent" }] });
    expect(world.tickets.existing("1").priority).toBe("urgent");
    await control("POST", "/worlds/acme/settings", { ratingMode: "new-record" });
    expect(world.settings.ratingMode).toBe("new-record");
    const { json } = await control("POST", "/faults", { fault: "status", arguments: [503], match: { path } });
    expect((await client.get(first)).status).toBe(503);
    await control("DELETE", `/faults/${String(json.id)}`);
    expect((await client.get(first)).status).toBe(200);
    const journal = await control("GET", `/journal?path=${path}`);
    expect(journal.json.entries).toHaveLength(2);
  });

  it("says what is wrong, and is closed unless opened", async () => {
    expect((await control("POST", "/worlds/nobody/clock", {})).status).toBe(404);
    expect((await control("POST", "/worlds/acme/call", { call: "constructor.constructor" })).status).toBe(422);
    expect((await control("POST", "/faults", { fault: "volcano" })).status).toBe(422);
    const closed = await startZendesk({ worlds: [new World()] });
    expect((await fetch(`${closed.origin}/_stand-in/worlds`)).status).toBe(404);
    await closed.close();
  });
});
