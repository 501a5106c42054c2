import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { POST as reconnect } from "#app/api/v1/connections/[id]/reconnect/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { GET as start } from "#app/api/v1/connections/oauth/start/route.ts";
import { POST as create } from "#app/api/v1/connections/route.ts";
import { byClient, byToken, connectionsPath, useGround } from "#test/connections/ground.ts";
import { requestOf } from "#test/support/api.ts";
import { hostileSubdomains } from "#test/support/hostile-subdomains.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround({ ZENDESK_CLIENT_ID: "bellwether", ZENDESK_CLIENT_SECRET: "oauth-client-secret-4711" });
const { api, database } = ground;

/** Somebody else's host: whatever reaches it carried our credentials there, or could have. */
let reached = 0;
const stranger = http.createServer((_, response) => response.end("{}"));
stranger.on("connection", () => {
  reached++;
});
let host = "";
beforeAll(async () => {
  await new Promise<void>((listening) => stranger.listen(0, "127.0.0.1", listening));
  host = `127.0.0.1:${(stranger.address() as AddressInfo).port}`;
});
beforeEach(() => {
  reached = 0;
});
afterAll(() => stranger.close());

test("no hostile subdomain sends a request anywhere, and each is refused at its field", async () => {
  const world = ground.account("honest");
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const { cookie } = await api.person(workspace);
  const leading = ["#", "/", "?", "\\", "/.zendesk.com", ":x@"].flatMap((end) => [
    `${host}${end}`,
    `acme@${host}${end}`,
  ]);
  const payloads = [...hostileSubdomains, ...leading, host, `//${host}`, `http://${host}`];
  expect(payloads.length).toBeGreaterThanOrEqual(60);
  ground.zendesk.journal.clear();
  for (const subdomain of payloads) {
    const body = { kind: "zendesk", subdomain, auth: byToken(world) };
    const { status, error } = await api.call(create, connectionsPath, { key, body });
    expect([subdomain, status, error?.details?.[0]?.path]).toEqual([subdomain, 422, "subdomain"]);
    const begun = `${connectionsPath}/oauth/start?subdomain=${encodeURIComponent(subdomain)}`;
    const answer = await start(requestOf("GET", begun, { cookie }), { params: Promise.resolve({}) });
    expect([subdomain, answer.status, answer.headers.get("location")]).toEqual([subdomain, 422, null]);
  }
  expect(ground.zendesk.journal.entries).toEqual([]);
  expect(reached).toBe(0);
});

/** Every address in an answer leads to the stranger, and rows get more of them than Zendesk gives. */
function ledAstray(value: unknown, address: string, key = ""): unknown {
  if (Array.isArray(value)) return value.map((item) => ledAstray(item, address, key));
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([name, inner]) => [name, ledAstray(inner, address, name)]);
    const attachments = [{ content_url: address, mapped_content_url: address, thumbnails: [{ content_url: address }] }];
    const added =
      "id" in value ? { content_url: address, avatar_url: address, attachments, photo: { url: address } } : {};
    return Object.fromEntries([...entries, ...Object.entries(added)]);
  }
  return /url|href|link|next|prev|photo|image|logo/i.test(key) && typeof value !== "number" ? address : value;
}

test("an address in an answer is never followed, whatever field it stands in", async () => {
  const address = () => `http://${host}/api/v2/incremental/tickets/cursor.json?cursor=x`;
  ground.zendesk.faults.add(
    { subdomain: "astray", path: "/api/v2/" },
    fault.changes("leads astray", (answer) => ({
      ...answer,
      json: ledAstray(answer.json, address()),
      headers: {
        ...answer.headers,
        link: `<${address()}>; rel="next"`,
        "content-location": address(),
        refresh: `0;url=${address()}`,
      },
    })),
  );
  const connected = await ground.connect("astray");
  expect((await ground.settled(connected)).state).toBe("succeeded");
  await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "reconcile" } });
  expect((await ground.settled(connected)).state).toBe("succeeded");
  const stored = await database.inWorkspace(connected.workspace, (trx) =>
    trx.selectFrom("ticket").select("id").execute(),
  );
  expect(stored).toHaveLength(10);
  expect(ground.zendesk.journal.to("/api/v2/incremental/tickets", "astray").length).toBeGreaterThan(1);
  expect(reached).toBe(0);
});

test.each([301, 302, 307, 308] as const)(
  "a redirect (%i) of any request, for a token too, is not followed",
  async (code) => {
    const subdomain = `moved-${code}`;
    const connected = await ground.connect(subdomain);
    await ground.settled(connected);
    ground.zendesk.faults.add({ subdomain }, fault.redirect(code, `http://${host}/${subdomain}`));
    for (const auth of [byToken(connected.world), byClient(connected.world)]) {
      const { status } = await api.call(reconnect, `${connected.path}/reconnect`, { ...connected, body: { auth } });
      expect(status).toBe(422);
    }
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } });
    expect((await ground.settled(connected)).state).toBe("failed");
    expect(reached).toBe(0);
  },
);
