import { describe, expect, test } from "vitest";
import { POST as examine } from "#app/api/v1/connections/[id]/doctor/route.ts";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { GET as callback } from "#app/api/v1/connections/oauth/callback/route.ts";
import { GET as start } from "#app/api/v1/connections/oauth/start/route.ts";
import { GET as list } from "#app/api/v1/connections/route.ts";
import { deleteStates } from "#lib/connections/store/oauth-states.ts";
import { eventually, useGround } from "#test/connections/ground.ts";
import { apiOrigin } from "#test/support/api.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const client = { id: "bellwether", secret: "oauth-client-secret-4711" };
const ground = useGround({ ZENDESK_CLIENT_ID: client.id, ZENDESK_CLIENT_SECRET: client.secret });
const { api, database } = ground;
const base = "/api/v1/connections/oauth";

type PlainRoute = typeof start;
function visit(route: PlainRoute, path: string, cookie?: string, headers: Record<string, string> = {}) {
  const url = new URL(path, apiOrigin);
  const request = new Request(url, { headers: { host: url.host, ...(cookie ? { cookie } : {}), ...headers } });
  return route(request, { params: Promise.resolve({}) });
}
const locationOf = (response: Response) => new URL(response.headers.get("location") ?? "", apiOrigin);

/** An account where our OAuth client is registered for our address. */
function account(subdomain: string): World {
  const world = ground.account(subdomain);
  const redirectUris = [`${apiOrigin}${base}/callback`];
  world.access.clients.set(client.id, { identifier: client.id, secret: client.secret, redirectUris });
  return world;
}

/** What the browser does at Zendesk: follows the redirect and comes back with a code, or with a refusal. */
async function consent(authorize: URL): Promise<URL> {
  const answer = await fetch(authorize, { redirect: "manual" });
  return locationOf(answer);
}
const backPath = (url: URL) => `${url.pathname}${url.search}`;

describe("connecting by sign-in at Zendesk", () => {
  test("sends the browser there with PKCE and a state, and comes back with a connection", async () => {
    account("button");
    const workspace = await database.workspace();
    const { cookie, email } = await api.person(workspace);
    const begun = await visit(start, `${base}/start?subdomain=https://Button.zendesk.com&name=Desk`, cookie);
    expect(begun.status).toBe(302);
    const authorize = locationOf(begun);
    expect(authorize.href.startsWith(ground.zendesk.url.replace("{subdomain}", "button"))).toBe(true);
    expect(Object.fromEntries(authorize.searchParams)).toMatchObject({
      response_type: "code",
      client_id: client.id,
      scope: "read",
      code_challenge_method: "S256",
      redirect_uri: `${apiOrigin}${base}/callback`,
    });
    expect(authorize.searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/);

    const finished = await visit(callback, backPath(await consent(authorize)), cookie);
    expect(finished.status).toBe(303);
    const { body } = await api.call(list, "/api/v1/connections", { cookie });
    expect(locationOf(finished).search).toBe(`?connected=${body.items[0]?.id}`);
    expect(body.items).toMatchObject([
      { name: "Desk", subdomain: "button", state: "active", auth: { type: "oauth" }, connectedBy: { email } },
    ]);
    const [exchange] = ground.zendesk.journal.to("/oauth/tokens", "button");
    expect(JSON.parse(String(exchange?.body))).toMatchObject({ code_verifier: expect.stringMatching(/^[\w-]{43,}$/) });
  });

  test("is proved by the doctor, who renews the token: a sign-in that was withdrawn shows at once", async () => {
    const world = account("proved");
    const workspace = await database.workspace();
    const { cookie } = await api.person(workspace);
    const authorize = locationOf(await visit(start, `${base}/start?subdomain=proved`, cookie));
    await visit(callback, backPath(await consent(authorize)), cookie);
    const { items } = (await api.call(list, "/api/v1/connections", { cookie })).body;
    const path = `/api/v1/connections/${items[0]?.id}/doctor`;
    const examined = async () => {
      const { checks } = (await api.call(examine, path, { cookie, body: {} })).body;
      return Object.fromEntries(checks.map((check) => [check.key, check]));
    };
    const living = () => world.access.tokens.filter(({ revoked }) => !revoked).map(({ id }) => id);
    const before = living();
    const sound = await examined();
    expect(sound.credentials).toMatchObject({
      state: "ok",
      found: expect.stringMatching(
        /^OAuth: a fresh access token was given when asked for\. It is good until .* UTC; .* renewed without a person until .* UTC\.$/,
      ),
    });
    expect(living()).not.toEqual(before);
    for (const token of world.access.tokens) token.refreshUsed = true;
    const withdrawn = await examined();
    expect(withdrawn.login).toMatchObject({ state: "ok" });
    expect(withdrawn.credentials).toMatchObject({
      state: "failure",
      found: expect.stringMatching(/^OAuth: no access token was given\. /),
      action: expect.stringMatching(/[Rr]econnect|[Ss]ign in/),
    });
  });

  test("asks for writing only where that was chosen", async () => {
    account("scopes");
    const { cookie } = await api.person(await database.workspace());
    const begun = await visit(start, `${base}/start?subdomain=scopes&access=read_write`, cookie);
    expect(locationOf(begun).searchParams.get("scope")).toBe("read write");
  });

  test("keeps the state as a hash and the verifier sealed", async () => {
    account("hashed");
    const workspace = await database.workspace();
    const { cookie } = await api.person(workspace);
    const authorize = locationOf(await visit(start, `${base}/start?subdomain=hashed`, cookie));
    const state = authorize.searchParams.get("state") ?? "";
    const rows = await database.inWorkspace(workspace, (trx) => trx.selectFrom("oauth_state").selectAll().execute());
    expect(rows).toHaveLength(1);
    expect(rows[0]?.state_hash.toString("utf8")).not.toContain(state);
    expect(rows[0]?.code_verifier).toMatch(/^v1\./);
  });

  test("says in words that the person refused, and makes no connection", async () => {
    const world = account("refused");
    world.access.denies = true;
    const { cookie } = await api.person(await database.workspace());
    const authorize = locationOf(await visit(start, `${base}/start?subdomain=refused`, cookie));
    const finished = await visit(callback, backPath(await consent(authorize)), cookie);
    expect([finished.status, locationOf(finished).search]).toEqual([303, "?connect=denied"]);
    expect((await api.call(list, "/api/v1/connections", { cookie })).body.items).toEqual([]);
  });

  test("names what was wrong with the login on the connections screen", async () => {
    const world = account("agent");
    world.users.changeRole(world.adminId, "agent");
    const { cookie } = await api.person(await database.workspace());
    const authorize = locationOf(await visit(start, `${base}/start?subdomain=agent`, cookie));
    const finished = await visit(callback, backPath(await consent(authorize)), cookie);
    expect(locationOf(finished).search).toBe("?connect=not_administrator");
  });
});

describe("signing in again at Zendesk as somebody whom nobody has seen", () => {
  test("asks for a person's word first, and takes the login with it (row 66)", async () => {
    const world = account("again");
    const { cookie } = await api.person(await database.workspace());
    const signIn = async (query: string) => {
      const authorize = locationOf(await visit(start, `${base}/start?${query}`, cookie));
      return locationOf(await visit(callback, backPath(await consent(authorize)), cookie)).search;
    };
    await signIn("subdomain=again");
    const [connection] = (await api.call(list, "/api/v1/connections", { cookie })).body.items;
    const id = connection?.id ?? "";
    await eventually(async () => {
      const [now] = (await api.call(list, "/api/v1/connections", { cookie })).body.items;
      return now?.streams.find(({ name }) => name === "users")?.freshThrough ? true : null;
    }, "the users to be read");
    world.users.update(world.adminId, { email: "married@again.example" });
    expect(await signIn(`connectionId=${id}`)).toBe(`?connect=confirm_login&connectionId=${id}`);
    expect(await signIn(`connectionId=${id}&confirmLogin=1`)).toBe(`?connected=${id}`);
    const { body } = await api.call(getOne, `/api/v1/connections/${id}`, { cookie });
    expect(body.connectedBy.zendeskEmail).toBe("married@again.example");
  });
});

describe("a return from Zendesk is refused with 403, and makes no connection,", () => {
  async function begun(subdomain: string) {
    account(subdomain);
    const workspace = await database.workspace();
    const { cookie } = await api.person(workspace);
    const back = await consent(locationOf(await visit(start, `${base}/start?subdomain=${subdomain}`, cookie)));
    const connections = async () => (await api.call(list, "/api/v1/connections", { cookie })).body.items.length;
    return { workspace, cookie, back, connections };
  }

  test("in another administrator's session", async () => {
    const { workspace, back, connections } = await begun("other-session");
    const { cookie: other } = await api.person(workspace);
    expect((await visit(callback, backPath(back), other)).status).toBe(403);
    expect(await connections()).toBe(0);
    expect(ground.zendesk.journal.to("/oauth/tokens", "other-session")).toEqual([]);
  });

  test("in another workspace", async () => {
    const { back, connections } = await begun("other-workspace");
    const { cookie: foreign } = await api.person(await database.workspace());
    expect((await visit(callback, backPath(back), foreign)).status).toBe(403);
    expect(await connections()).toBe(0);
  });

  test("a second time", async () => {
    const { cookie, back, connections } = await begun("replayed");
    expect((await visit(callback, backPath(back), cookie)).status).toBe(303);
    expect((await visit(callback, backPath(back), cookie)).status).toBe(403);
    expect(await connections()).toBe(1);
  });

  test("with a state that is made up, or with none", async () => {
    const { cookie, back, connections } = await begun("made-up");
    back.searchParams.set("state", "A".repeat(43));
    expect((await visit(callback, backPath(back), cookie)).status).toBe(403);
    back.searchParams.delete("state");
    expect((await visit(callback, backPath(back), cookie)).status).toBe(403);
    expect(await connections()).toBe(0);
  });

  test("after ten minutes", async () => {
    const { workspace, cookie, back, connections } = await begun("slow");
    await database.inWorkspace(workspace, (trx) =>
      trx
        .updateTable("oauth_state")
        .set({ created_at: new Date(Date.now() - 601_000) })
        .execute(),
    );
    expect((await visit(callback, backPath(back), cookie)).status).toBe(403);
    expect(await connections()).toBe(0);
  });
});

describe("the connect button", () => {
  test("needs a session, and an administrator's", async () => {
    account("who");
    const workspace = await database.workspace();
    expect((await visit(start, `${base}/start?subdomain=who`)).status).toBe(401);
    const { cookie } = await api.person(workspace, "csm");
    expect((await visit(start, `${base}/start?subdomain=who`, cookie)).status).toBe(403);
    const bearer = { authorization: `Bearer ${await api.key(workspace)}` };
    expect((await visit(start, `${base}/start?subdomain=who`, undefined, bearer)).status).toBe(403);
  });

  test("refuses a subdomain that is none before any request leaves", async () => {
    const { cookie } = await api.person(await database.workspace());
    const answer = await visit(start, `${base}/start?subdomain=${encodeURIComponent("evil.example/#")}`, cookie);
    expect(answer.status).toBe(422);
  });

  test("forgets authorizations that nobody finished", async () => {
    account("forgotten");
    const workspace = await database.workspace();
    const { cookie } = await api.person(workspace);
    await visit(start, `${base}/start?subdomain=forgotten`, cookie);
    const count = await database.inWorkspace(workspace, async (trx) => {
      await deleteStates(trx, workspace, new Date(Date.now() + 1000));
      return (await trx.selectFrom("oauth_state").selectAll().execute()).length;
    });
    expect(count).toBe(0);
  });
});
