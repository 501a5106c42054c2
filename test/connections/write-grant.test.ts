import { expect, test } from "vitest";
import { GET as getOne, PATCH as patch } from "#app/api/v1/connections/[id]/route.ts";
import { GET as callback } from "#app/api/v1/connections/oauth/callback/route.ts";
import { GET as start } from "#app/api/v1/connections/oauth/start/route.ts";
import { POST as createDestination } from "#app/api/v1/destinations/route.ts";
import { type Connected, useGround } from "#test/connections/ground.ts";
import { apiOrigin } from "#test/support/api.ts";

const client = { id: "bellwether", secret: "oauth-client-secret-4711" };
const { api, connect, settled } = useGround({
  ZENDESK_CLIENT_ID: client.id,
  ZENDESK_CLIENT_SECRET: client.secret,
});
const base = "/api/v1/connections/oauth";

const access = async (connected: Connected) => (await api.call(getOne, connected.path, connected)).body.access;
const change = (connected: Connected, body: object) => api.call(patch, connected.path, { ...connected, body });
const destination = (connected: Connected) =>
  api.call(createDestination, "/api/v1/destinations", {
    ...connected,
    body: { connectionId: connected.id, profile: "customerio" },
  });

test("writing is granted apart from reading, by a login that is tried for it", async () => {
  const connected = await connect("granting");
  await settled(connected);
  expect((await destination(connected)).status).toBe(409);
  const word = await change(connected, { access: "read_write" });
  expect([word.status, word.error?.details?.[0]?.path]).toEqual([422, "auth"]);
  const wrong = await change(connected, { access: "read_write", auth: { ...connected.auth, clientSecret: "wrong" } });
  expect([wrong.status, await access(connected)]).toEqual([422, "read"]);

  const granted = await change(connected, { access: "read_write", auth: connected.auth });
  expect([granted.status, granted.body.access]).toEqual([200, "read_write"]);
  expect((await destination(connected)).status).toBe(201);
  expect((await change(connected, { access: "read_write", name: "Desk" })).status).toBe(200);
  await settled(connected);
});

test("a person who signs in again at Zendesk may grant writing, and keeps it afterwards", async () => {
  const connected = await connect("consenting");
  await settled(connected);
  const redirectUris = [`${apiOrigin}${base}/callback`];
  connected.world.access.clients.set(client.id, { identifier: client.id, secret: client.secret, redirectUris });
  const { cookie } = await api.person(connected.workspace);
  const visit = (route: typeof start, path: string) => {
    const request = new Request(new URL(path, apiOrigin), { headers: { host: new URL(apiOrigin).host, cookie } });
    return route(request, { params: Promise.resolve({}) });
  };
  const locationOf = (response: Response) => new URL(response.headers.get("location") ?? "", apiOrigin);
  const signIn = async (query: string) => {
    const authorize = locationOf(await visit(start, `${base}/start?connectionId=${connected.id}${query}`));
    const back = locationOf(await fetch(authorize, { redirect: "manual" }));
    told = locationOf(await visit(callback, `${back.pathname}${back.search}`)).search;
    await settled(connected);
    return authorize.searchParams.get("scope");
  };
  let told = "";
  connected.world.access.denies = true;
  await signIn("&access=read_write");
  expect([told, await access(connected)]).toEqual([`?connect=denied&connectionId=${connected.id}&for=writing`, "read"]);
  await signIn("");
  expect(told).toBe(`?connect=denied&connectionId=${connected.id}`);
  connected.world.access.denies = false;
  connected.world.access.allowsOnly = ["read"];
  await signIn("&access=read_write&confirmLogin=1");
  expect([told, await access(connected)]).toEqual([
    `?connect=missing_scope&connectionId=${connected.id}&for=writing`,
    "read",
  ]);
  connected.world.access.allowsOnly = null;
  await signIn("&access=read_write&confirmLogin=1");
  expect([told, await access(connected)]).toEqual([`?connected=${connected.id}&for=writing`, "read_write"]);
  await change(connected, { access: "read", auth: connected.auth });
  expect([await signIn("&confirmLogin=1"), await access(connected)]).toEqual(["read", "read"]);
  expect([await signIn("&access=read_write&confirmLogin=1"), await access(connected)]).toEqual([
    "read write",
    "read_write",
  ]);
  expect([await signIn("&confirmLogin=1"), await access(connected)]).toEqual(["read write", "read_write"]);
});
