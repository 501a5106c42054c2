import net from "node:net";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { inWorkspace } from "#db/client.ts";
import { encrypt } from "#lib/auth/encryption.ts";
import { openLog } from "#lib/log.ts";
import { exchangeCode, openClient, renewToken, revokeToken, tryCredentials } from "#lib/zendesk/credentials.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { checkIdentity } from "#lib/zendesk/identity.ts";
import { readBudgets } from "#lib/zendesk/limits.ts";
import { authorizationUrl, newVerifier } from "#lib/zendesk/oauth.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { Answer } from "#test/support/zendesk/server/answer.ts";
import type { LimitOptions } from "#test/support/zendesk/server/limits.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { configFor } from "#test/zendesk/account-config.ts";

const database = useDatabase();
const servers: Zendesk[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const at = new Date("2026-03-02T09:00:00Z");
const impatient = { sleep: async () => {}, deadlines: { connect: 500, headers: 500, idle: 300, total: 900 } };

async function setUp(limits?: LimitOptions) {
  const world = new World({ subdomain: "acme", clock: at });
  const zendesk = await startZendesk({ worlds: [world], ...(limits && { limits }) });
  servers.push(zendesk);
  const { clientId, clientSecret, email, token } = world.credentials;
  const config = {
    ...configFor(zendesk),
    zendesk: { ...configFor(zendesk).zendesk, client: { id: clientId, secret: clientSecret } },
  };
  const clientAuth = { type: "oauth_client_credentials" as const, clientId, clientSecret };
  const tokenAuth = { type: "api_token" as const, email, token };
  const attempt = (auth: typeof clientAuth | typeof tokenAuth, subdomain = "acme") =>
    tryCredentials({ config, db: database.db }, { subdomain, auth, access: "read", now: at, options: impatient }).catch(
      (error: unknown) => error,
    );
  return { world, zendesk, config, clientAuth, tokenAuth, attempt };
}

/** What can become of the text of a token on its way. */
const damages: [how: string, damage: (text: string) => Partial<Answer>][] = [
  ["after a byte order mark", (text) => ({ status: 201, text: `\ufeff${text}` })],
  ["with text behind it", (text) => ({ status: 201, text: `${text} OK` })],
  ["cut off", (text) => ({ status: 201, text: text.slice(0, -2) })],
  ["under another name", (text) => ({ status: 200, text: text.replace("access_token", "token") })],
  ["as a failure", (text) => ({ status: 502, text: `upstream said ${text}` })],
  ["beside an error that nobody knows", (text) => ({ status: 400, text: text.replace("{", '{"error":"odd",') })],
];

describe("trying credentials", () => {
  it("takes an administrator's client credentials and API token, and keeps no secret in the open", async () => {
    const { attempt, clientAuth, tokenAuth, world } = await setUp();
    for (const auth of [clientAuth, tokenAuth]) {
      const tried = await attempt(auth);
      expect(tried).toMatchObject({
        identity: { id: world.adminId, role: "admin" },
        stored: { auth_type: auth.type, login_id: world.adminId, login_role: "admin" },
      });
      const written = JSON.stringify(tried);
      for (const secret of [
        clientAuth.clientSecret,
        tokenAuth.token,
        ...world.access.tokens.map((token) => token.accessToken),
      ]) {
        expect(written).not.toContain(secret);
      }
    }
  });

  it.each([
    ["a wrong client secret", { clientSecret: "wrong" }, "credentials_rejected"],
    ["an unknown client", { clientId: "nobody" }, "credentials_rejected"],
  ])("names %s", async (_what, change, code) => {
    const { attempt, clientAuth } = await setUp();
    expect(await attempt({ ...clientAuth, ...change })).toMatchObject({
      code,
      about: "auth",
      action: expect.stringMatching(/client/),
    });
  });

  it("names a wrong API token, and an anonymous 200 as the rejection that it is", async () => {
    const { attempt, tokenAuth, zendesk } = await setUp();
    expect(await attempt({ ...tokenAuth, token: "wrong" })).toMatchObject({
      code: "credentials_rejected",
      about: "auth",
    });
    const anonymous = { user: { id: null, name: "Anonymous user", role: "end-user" } };
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.status(200, anonymous));
    expect(await attempt(tokenAuth)).toMatchObject({
      code: "credentials_rejected",
      message: expect.stringContaining("anonymous"),
    });
  });

  it("names a login that is no administrator", async () => {
    const { attempt, tokenAuth, world } = await setUp();
    world.users.changeRole(world.adminId, "agent");
    expect(await attempt(tokenAuth)).toMatchObject({
      code: "not_administrator",
      about: "auth",
      message: expect.stringContaining("agent"),
    });
  });

  it.each([1e15, 1e300, Number.POSITIVE_INFINITY])("believes no lifetime beyond a year: %s", async (lifetime) => {
    const { attempt, clientAuth, zendesk } = await setUp();
    zendesk.faults.add(
      { path: "/oauth/tokens" },
      fault.changes("for ever", ({ json, ...answer }) => ({
        ...answer,
        contentType: "application/json",
        text: JSON.stringify({
          ...(json as object),
          expires_in: "LIFETIME",
          refresh_token_expires_in: "LIFETIME",
        }).replaceAll('"LIFETIME"', lifetime === Number.POSITIVE_INFINITY ? "1e999" : String(lifetime)),
      })),
    );
    expect(await attempt(clientAuth)).toMatchObject({
      stored: { token_expires_at: new Date(at.getTime() + 365 * 86_400_000) },
    });
  });

  it("takes an address with what no text column takes in it", async () => {
    const { attempt, tokenAuth, zendesk } = await setUp();
    zendesk.faults.add(
      { path: "/api/v2/users/me" },
      fault.changesBody("NUL", ({ user, ...body }) => ({ ...body, user: { ...(user as object), name: "A\u0000da" } })),
    );
    expect(await attempt(tokenAuth)).toMatchObject({ identity: { name: "Ada" } });
  });

  it.each(damages)("quotes no token that came damaged: %s (row 60)", async (_, damage) => {
    const { attempt, clientAuth, world, zendesk } = await setUp();
    const damaged = fault.changes("damaged", ({ json, ...answer }) => ({
      ...answer,
      ...damage(JSON.stringify({ refresh_token: "refresh-canary", ...(json as object) })),
      contentType: "application/json",
    }));
    const active = zendesk.faults.add({ path: "/oauth/tokens" }, damaged);
    const error = (await attempt(clientAuth)) as ZendeskError;
    expect(error).toBeInstanceOf(ZendeskError);
    const told = `${error.message} ${error.action} ${error.said} ${JSON.stringify(error)} ${error.stack}`;
    for (const { accessToken } of world.access.tokens) expect(told).not.toContain(accessToken.slice(0, 12));
    expect(told).not.toContain("canary");
    expect(world.access.tokens.length).toBeGreaterThan(0);
    active.remove();
    expect(await attempt(clientAuth)).toMatchObject({ identity: { role: "admin" } });
  });

  it.each([
    ["without the chunks that it announces", "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\nTOKEN"],
    ["behind a broken header", "HTTP/1.1 201 Created\r\nbro ken\r\n\r\nTOKEN"],
    ["without a status", "TOKEN"],
  ])("logs no token that no HTTP brings: %s (row 60)", async (_, answer) => {
    const token = '{"access_token":"canary-of-the-wire","token_type":"bearer"}';
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(answer.replace("TOKEN", token)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { config, clientAuth } = await setUp();
    const { port } = server.address() as net.AddressInfo;
    const zendesk = { ...config.zendesk, urlTemplate: `http://127.0.0.1:${port}` };
    const tried = { subdomain: "acme", auth: clientAuth, access: "read" as const, now: at, options: impatient };
    const error = await tryCredentials({ config: { ...config, zendesk }, db: database.db }, tried).catch((e) => e);
    const lines: string[] = [];
    openLog((line) => lines.push(line)).warn({ err: error }, "failed");
    expect(error).toBeInstanceOf(ZendeskError);
    expect(lines.join()).toContain("unreachable");
    expect(lines.join()).not.toContain("canary");
    await new Promise((resolve) => server.close(resolve));
  });

  it("asks again for a token that came damaged once", async () => {
    const { attempt, clientAuth, zendesk } = await setUp();
    const cut = fault.changes("cut off", ({ json, ...answer }) => ({
      ...answer,
      text: JSON.stringify(json).slice(0, -2),
      contentType: "application/json",
    }));
    zendesk.faults.add({ path: "/oauth/tokens" }, cut, { times: 1 });
    expect(await attempt(clientAuth)).toMatchObject({ identity: { role: "admin" } });
    expect(zendesk.journal.to("/oauth/tokens")).toHaveLength(2);
  });

  it("names a scope that the client does not allow, and one that the token lacks", async () => {
    const { attempt, clientAuth, world, zendesk } = await setUp();
    const client = world.access.clients.get(clientAuth.clientId);
    if (client) client.allowedScopes = ["write"];
    expect(await attempt(clientAuth)).toMatchObject({ code: "missing_scope", about: "auth" });
    if (client) client.allowedScopes = ["read"];
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.forbidden("scope"));
    expect(await attempt(clientAuth)).toMatchObject({ code: "missing_scope", about: "auth", scope: "connection" });
  });

  it("names an unknown subdomain, a web page, a moved account and one that does not answer", async () => {
    const { attempt, clientAuth, tokenAuth, zendesk } = await setUp();
    for (const auth of [clientAuth, tokenAuth]) {
      expect(await attempt(auth, "nobody")).toMatchObject({ code: "unknown_subdomain", about: "subdomain" });
      const path = /users\/me|oauth\/tokens/;
      const page = zendesk.faults.add({ path }, fault.html(200));
      expect(await attempt(auth)).toMatchObject({ about: "subdomain" });
      page.remove();
      const moved = zendesk.faults.add({ path }, fault.redirect(301, "https://elsewhere.example"));
      expect(await attempt(auth)).toMatchObject({ code: "account_moved", about: "subdomain" });
      moved.remove();
      const silent = zendesk.faults.add({ path }, fault.reset("accept"));
      expect(await attempt(auth)).toMatchObject({ code: "unreachable", about: "subdomain" });
      silent.remove();
    }
    await expect(attempt(clientAuth, "a@b")).resolves.toMatchObject({ code: "bad_subdomain", about: "subdomain" });
  });
});

describe("the account's budget", () => {
  it("counts the requests of connecting as ours, also where they were in vain", async () => {
    const { zendesk, clientAuth, attempt } = await setUp({});
    const budget = async () => {
      const { budgets } = await readBudgets(database.db, `${zendesk.origin}/acme`);
      const account = budgets.find(({ bucket }) => bucket === "account");
      return account && { used: account.used, others: account.limit - account.remaining - account.used };
    };
    expect(await attempt(clientAuth)).toMatchObject({ identity: { role: "admin" } });
    expect(zendesk.journal.to("/")).toHaveLength(2);
    expect(await budget()).toEqual({ used: 2, others: 0 });
    zendesk.limits?.neighbour("acme", "account", 5);
    const wrong = { ...clientAuth, clientSecret: "wrong" };
    expect(await attempt(wrong)).toMatchObject({ code: "credentials_rejected" });
    expect(await attempt(clientAuth)).toMatchObject({ identity: { role: "admin" } });
    expect(await budget()).toEqual({ used: 5, others: 5 });
  });

  it("is not kept of an address at which no account answers", async () => {
    const { zendesk, clientAuth, attempt } = await setUp({});
    expect(await attempt(clientAuth, "nobody")).toBeInstanceOf(Error);
    expect((await readBudgets(database.db, `${zendesk.origin}/nobody`)).budgets).toEqual([]);
  });
});

describe("the browser's way", () => {
  it("sends a person to Zendesk with a PKCE challenge and turns the code into credentials", async () => {
    const { config } = await setUp();
    const { verifier, challenge } = newVerifier();
    const redirectUri = "https://bellwether.example/callback";
    const ask = { subdomain: "acme", state: "s", codeChallenge: challenge, redirectUri, access: "read" as const };
    const sent = await fetch(authorizationUrl(config, ask), { redirect: "manual" });
    const back = new URL(sent.headers.get("location") ?? "");
    expect(back.searchParams.get("state")).toBe("s");
    const code = back.searchParams.get("code") ?? "";
    const grant = {
      subdomain: "acme",
      code,
      codeVerifier: verifier,
      redirectUri,
      access: "read" as const,
      now: at,
      options: impatient,
    };
    expect(await exchangeCode({ config, db: database.db }, grant)).toMatchObject({
      identity: { role: "admin" },
      stored: { auth_type: "oauth", scopes: ["read"] },
    });
    const again = await exchangeCode({ config, db: database.db }, grant).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: "reconnect", about: "auth" });
  });
});

describe("a stored connection's token", () => {
  async function stored(auth: "client" | "code", limits?: LimitOptions) {
    const { world, zendesk, config, clientAuth } = await setUp(limits);
    const workspaceId = await database.workspace();
    let tried: Awaited<ReturnType<typeof tryCredentials>>;
    if (auth === "client") {
      tried = await tryCredentials(
        { config, db: database.db },
        { subdomain: "acme", auth: clientAuth, access: "read", now: at },
      );
    } else {
      const { verifier, challenge } = newVerifier();
      const redirectUri = "https://bellwether.example/callback";
      const ask = { subdomain: "acme", state: "s", codeChallenge: challenge, redirectUri, access: "read" as const };
      const sent = await fetch(authorizationUrl(config, ask), { redirect: "manual" });
      const code = new URL(sent.headers.get("location") ?? "").searchParams.get("code") ?? "";
      tried = await exchangeCode(
        { config, db: database.db },
        { subdomain: "acme", code, codeVerifier: verifier, redirectUri, access: "read", now: at },
      );
    }
    const load = () =>
      inWorkspace(database.db, workspaceId, (trx) =>
        trx.selectFrom("connection").selectAll().executeTakeFirstOrThrow(),
      );
    await inWorkspace(database.db, workspaceId, (trx) =>
      trx
        .insertInto("connection")
        .values({
          workspace_id: workspaceId,
          name: "A",
          subdomain: "acme",
          access: "read",
          ...tried.stored,
          created_at: at,
          updated_at: at,
        })
        .execute(),
    );
    zendesk.journal.clear();
    const ctx = { config, db: database.db };
    return { world, zendesk, ctx, load, workspaceId };
  }

  it.each(["client", "code"] as const)("is renewed once on 401 and the same request goes again (%s)", async (auth) => {
    const { world, zendesk, ctx, load } = await stored(auth);
    const client = openClient(ctx, await load(), { clock: () => at });
    world.access.expireAccessTokens();
    expect(await checkIdentity(client)).toMatchObject({ role: "admin" });
    expect(zendesk.journal.to("/oauth/tokens")).toHaveLength(1);
    expect(zendesk.journal.to("/api/v2/users/me").map(({ status }) => status)).toEqual([401, 200]);
    await client.close();
  });

  it("is asked for with requests that count as ours", async () => {
    const { zendesk, ctx, load } = await stored("client", {});
    const client = openClient(ctx, await load());
    await checkIdentity(client);
    await client.close();
    await renewToken(ctx, await load(), new Date());
    const { budgets } = await readBudgets(database.db, `${zendesk.origin}/acme`);
    // To connect, to ask who is signed in with a token that was due, and for one more token.
    expect(zendesk.journal.to("/")).toHaveLength(3);
    expect(budgets).toMatchObject([{ bucket: "account", limit: 700, remaining: 695, used: 5 }]);
  });

  it("is renewed ahead of its end, before a single request fails", async () => {
    const { zendesk, ctx, load } = await stored("code");
    let now = at;
    const client = openClient(ctx, await load(), { clock: () => now });
    await checkIdentity(client);
    now = new Date(at.getTime() + 29.5 * 60_000);
    await checkIdentity(client);
    expect(zendesk.journal.to("/oauth/tokens")).toHaveLength(1);
    expect(zendesk.journal.to("/api/v2/users/me").map(({ status }) => status)).toEqual([200, 200]);
    await client.close();
  });

  it("is renewed by one of eight workers at its end, and the others take what it stored", async () => {
    const { world, zendesk, ctx, load } = await stored("code");
    world.access.expireAccessTokens();
    const connection = await load();
    const clients = Array.from({ length: 8 }, () => openClient(ctx, connection, { clock: () => at }));
    const identities = await Promise.all(clients.map((client) => checkIdentity(client)));
    expect(identities.every(({ role }) => role === "admin")).toBe(true);
    expect(zendesk.journal.to("/oauth/tokens")).toHaveLength(1);
    await Promise.all(clients.map((client) => client.close()));
  });

  it("is stored before it is used, sealed", async () => {
    const { world, ctx, load, zendesk } = await stored("code");
    world.access.expireAccessTokens();
    let atUse: unknown;
    const before = await load();
    zendesk.faults.before({ path: "/api/v2/users/me", nth: 2 }, async () => {
      atUse = (await load()).token_secret;
    });
    const client = openClient(ctx, before, { clock: () => at });
    await checkIdentity(client);
    expect(atUse).toBeTypeOf("string");
    expect(atUse).not.toBe(before.token_secret);
    for (const { accessToken, refreshToken } of world.access.tokens) {
      expect(JSON.stringify(await load())).not.toContain(accessToken);
      expect(JSON.stringify(await load())).not.toContain(refreshToken);
    }
    await client.close();
  });

  it("goes on with the refresh token that it has where Zendesk gives no new one (row 60)", async () => {
    const { world, zendesk, ctx, load } = await stored("code");
    const first = world.access.tokens.at(-1);
    zendesk.faults.add(
      { path: "/oauth/tokens" },
      fault.changesBody("no new refresh token", ({ refresh_token, refresh_token_expires_in, ...body }) => {
        Object.assign(first as object, { refreshUsed: false, revoked: false });
        return body;
      }),
    );
    const client = openClient(ctx, await load(), { clock: () => at });
    for (let renewal = 0; renewal < 2; renewal++) {
      world.access.expireAccessTokens();
      expect(await checkIdentity(client)).toMatchObject({ role: "admin" });
    }
    expect(zendesk.journal.to("/oauth/tokens").map(({ status }) => status)).toEqual([200, 200]);
    await client.close();
  });

  it("asks a person to reconnect when the rotated pair was lost, without a loop", async () => {
    const { world, zendesk, ctx, load } = await stored("code");
    world.access.expireAccessTokens();
    zendesk.faults.add({ path: "/oauth/tokens" }, fault.truncate(0.5), { times: 1 });
    const client = openClient(ctx, await load(), { clock: () => at });
    const error = await checkIdentity(client).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ZendeskError);
    expect(error).toMatchObject({ code: "reconnect", scope: "connection", transient: false });
    expect(zendesk.journal.to("/oauth/tokens").length).toBeLessThanOrEqual(3);
    await client.close();
  });

  it("is kept when the database ends the session before the commit (row 60)", async () => {
    const { world, zendesk, ctx, load } = await stored("code");
    world.access.expireAccessTokens();
    const owner = new pg.Client({ connectionString: database.url });
    await owner.connect();
    zendesk.faults.after({ path: "/oauth/tokens" }, async () => {
      await owner.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
      );
    });
    const client = openClient(ctx, await load(), { clock: () => at });
    expect(await checkIdentity(client)).toMatchObject({ role: "admin" });
    expect(zendesk.journal.to("/oauth/tokens")).toHaveLength(1);
    // What is stored renews again: it is the pair that Zendesk gave last.
    world.access.expireAccessTokens();
    expect(await checkIdentity(client)).toMatchObject({ role: "admin" });
    await Promise.all([client.close(), owner.end()]);
  });

  it("that Zendesk makes us wait for is a wait, and never asked for twice before its end", async () => {
    const { world, zendesk, ctx, load } = await stored("client");
    world.access.expireAccessTokens();
    zendesk.faults.add({ path: "/oauth/tokens" }, fault.tooManyRequests({ retryAfter: "60" }));
    const client = openClient(ctx, await load(), { clock: () => at });
    const wait = await checkIdentity(client).catch((error: unknown) => error);
    expect(wait).toBeInstanceOf(WaitNeeded);
    expect((wait as WaitNeeded).until.getTime()).toBeGreaterThanOrEqual(at.getTime() + 60_000);
    expect(zendesk.journal.to("/oauth/tokens")).toHaveLength(1);
    await client.close();
  });

  it("is asked for three times at most where Zendesk answers nothing, and the row is let go", async () => {
    const { world, zendesk, ctx, load, workspaceId } = await stored("client");
    world.access.expireAccessTokens();
    zendesk.faults.add({ path: "/oauth/tokens" }, fault.hang());
    const sleep = async () => {};
    const deadlines = { connect: 300, headers: 300, idle: 300, total: 300 };
    const client = openClient(ctx, await load(), { clock: () => at, sleep, deadlines });
    expect(await checkIdentity(client).catch((error: unknown) => error)).toMatchObject({
      code: "unreachable",
      transient: true,
    });
    expect(zendesk.journal.to("/oauth/tokens").length).toBeLessThanOrEqual(3);
    await inWorkspace(database.db, workspaceId, (trx) =>
      trx.selectFrom("connection").select("id").forUpdate().noWait().execute(),
    );
    await client.close();
  });

  it("is tried at most three times when Zendesk has withdrawn it", async () => {
    const { world, zendesk, ctx, load } = await stored("client");
    world.access.revokeAll();
    const kept = await load();
    zendesk.faults.add({ path: "/api/v2/users/me" }, fault.unauthorized("token"));
    const client = openClient(ctx, kept, { clock: () => at });
    const error = await checkIdentity(client).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "credentials_rejected", transient: false });
    expect(zendesk.journal.to("/api/v2/users/me").length).toBeLessThanOrEqual(3);
    await client.close();
  });

  it("is taken back at Zendesk on disconnecting", async () => {
    const { world, ctx, load } = await stored("client");
    expect(await revokeToken(ctx, await load())).toBe(true);
    expect(world.access.tokens.at(-1)?.revoked).toBe(true);
    const broken = { ...(await load()), token_secret: encrypt("x".repeat(32), "{}") };
    expect(await revokeToken(ctx, broken)).toBe(false);
  });
});
