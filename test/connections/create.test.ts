import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { POST as create, GET as list } from "#app/api/v1/connections/route.ts";
import { streamNames } from "#lib/connections/shapes.ts";
import { byClient, byToken, connectionsPath, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const ground = useGround();
const { api, database } = ground;
const path = connectionsPath;
const bodyOf = (world: World, overrides = {}) => ({
  kind: "zendesk",
  subdomain: world.subdomain,
  auth: byClient(world),
  access: "read",
  ...overrides,
});
const countConnections = (workspace: number) =>
  database.inWorkspace(workspace, async (trx) => (await trx.selectFrom("connection").select("id").execute()).length);

/** Every row of every table that a workspace sees, as text. */
async function everyRow(workspace: number): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`select tablename as name from pg_tables
    where schemaname = 'public' and has_table_privilege(schemaname || '.' || tablename, 'select')`.execute(database.db);
  return database.inWorkspace(workspace, async (trx) => {
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(trx);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join("\n");
  });
}

describe("a new connection", () => {
  test("answers 201 with all seven streams, and is listed", async () => {
    const world = ground.account("shape");
    const key = await api.key(await database.workspace());
    const { status, body } = await api.call(create, path, { key, body: bodyOf(world, { name: "Main desk" }) });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: "Main desk",
      subdomain: "shape",
      access: "read",
      state: "active",
      failure: null,
      historyDays: 0,
      eventHistoryDays: 365,
      syncIntervalMinutes: 60,
      auth: { type: "oauth_client_credentials", endsOn: null },
      matching: { organizations: 0, matched: 0, unmatched: 0, ambiguous: 0, ignored: 0 },
    });
    expect(body.streams.map((stream) => stream.name)).toEqual([...streamNames]);
    expect(body.connectedBy.zendeskEmail).toBe(world.credentials.email);
    expect(new Date(body.nextSyncAt ?? 0).getTime()).toBeGreaterThan(Date.now());
    const { body: listed } = await api.call(list, path, { key });
    expect(listed.items.map((item) => item.id)).toEqual([body.id]);
    expect((await api.call(getOne, `${path}/${body.id}`, { key })).body.id).toBe(body.id);
  });

  test("has default match keys and one first run", async () => {
    const world = ground.account("ladder");
    const workspace = await database.workspace();
    const { body } = await api.call(create, path, { key: await api.key(workspace), body: bodyOf(world) });
    const { keys, runs } = await database.inWorkspace(workspace, async (trx) => ({
      keys: await trx.selectFrom("match_key").select(["organization_field", "account_field"]).execute(),
      runs: await trx.selectFrom("sync_run").select(["trigger", "mode", "connection_id"]).execute(),
    }));
    expect(keys.length).toBeGreaterThan(0);
    expect(runs).toEqual([{ trigger: "first", mode: "incremental", connection_id: Number(body.id) }]);
  });

  test.each(["pasted", " Pasted ", "pasted.zendesk.com", "https://pasted.zendesk.com/agent/dashboard?x=1"])(
    "takes the subdomain as people paste it: %j",
    async (subdomain) => {
      const world = ground.account("pasted");
      const key = await api.key(await database.workspace());
      const { body } = await api.call(create, path, { key, body: bodyOf(world, { subdomain }) });
      expect(body.subdomain).toBe("pasted");
    },
  );

  test("with an API token is answered with the day on which tokens end", async () => {
    const world = ground.account("legacy");
    const key = await api.key(await database.workspace());
    const { body } = await api.call(create, path, { key, body: bodyOf(world, { auth: byToken(world) }) });
    expect(body.auth).toMatchObject({ type: "api_token", endsOn: "2027-04-30" });
  });

  test("keeps no secret in a readable column, and logs none", async () => {
    const secrets: string[] = [];
    const workspace = await database.workspace();
    const key = await api.key(workspace);
    for (const [subdomain, auth] of [
      ["vault-one", byToken],
      ["vault-two", byClient],
    ] as const) {
      const world = ground.account(subdomain);
      await api.call(create, path, { key, body: bodyOf(world, { auth: auth(world) }) });
      secrets.push(
        world.credentials.token,
        world.credentials.clientSecret,
        ...world.access.tokens.map((token) => token.accessToken),
      );
    }
    const kept = (await everyRow(workspace)) + api.logged.join("\n");
    expect(kept).toContain("vault-two");
    expect(secrets.length).toBeGreaterThan(4);
    for (const secret of secrets) expect(kept).not.toContain(secret);
  });

  test("is refused for an account that is connected already, saying which connection it is", async () => {
    const world = ground.account("twice");
    const workspace = await database.workspace();
    const key = await api.key(workspace);
    const { body } = await api.call(create, path, { key, body: bodyOf(world, { name: "First" }) });
    const second = await api.call(create, path, {
      key,
      body: bodyOf(world, { subdomain: "https://TWICE.zendesk.com" }),
    });
    expect(second.status).toBe(409);
    expect(second.error?.message).toContain(`“First” (connection ${body.id})`);
    expect(await countConnections(workspace)).toBe(1);
  });

  test("is made once by two calls at once", async () => {
    const world = ground.account("race");
    const workspace = await database.workspace();
    const key = await api.key(workspace);
    const answers = await Promise.all([1, 2, 3].map(() => api.call(create, path, { key, body: bodyOf(world) })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 409, 409]);
    expect(await countConnections(workspace)).toBe(1);
  });

  test("may be one of several in a workspace, and the same account may be connected in two workspaces", async () => {
    const [one, two] = [ground.account("several-one"), ground.account("several-two")];
    const first = await api.key(await database.workspace());
    const second = await api.key(await database.workspace());
    for (const [key, world] of [
      [first, one],
      [first, two],
      [second, one],
    ] as const) {
      expect((await api.call(create, path, { key, body: bodyOf(world) })).status).toBe(201);
    }
    const page = await api.call(list, `${path}?limit=1`, { key: first });
    expect(page.body.items).toHaveLength(1);
    const rest = await api.call(list, `${path}?limit=1&cursor=${page.body.nextCursor}`, { key: first });
    expect(rest.body).toMatchObject({ items: [{ subdomain: "several-two" }], nextCursor: null });
    expect((await api.call(list, path, { key: second })).body.items).toHaveLength(1);
  });

  test("needs an administrator of ours", async () => {
    const world = ground.account("roles");
    const workspace = await database.workspace();
    const answer = await api.call(create, path, { key: await api.key(workspace, "csm"), body: bodyOf(world) });
    expect(answer.status).toBe(403);
    expect(await countConnections(workspace)).toBe(0);
  });
});

describe("a wrong entry is refused with 422, its place and the remedy, and nothing is written", () => {
  interface Wrong {
    what: string;
    body: (world: World) => object;
    prepare?: (world: World) => void;
    at: RegExp;
    says: RegExp;
  }
  const me = { path: "/api/v2/users/me" };
  const wrongs: Wrong[] = [
    {
      what: "a subdomain that no account has",
      body: () => ({ subdomain: "nobody-here" }),
      at: /^subdomain$/,
      says: /subdomain/,
    },
    {
      what: "a subdomain that is none",
      body: () => ({ subdomain: "evil.example#" }),
      at: /^subdomain$/,
      says: /not a Zendesk subdomain/,
    },
    {
      what: "an address elsewhere",
      body: () => ({ subdomain: "https://acme.example.com" }),
      at: /^subdomain$/,
      says: /acme for/,
    },
    {
      what: "a wrong token",
      body: (world) => ({ auth: { ...byToken(world), token: "wrong-token" } }),
      at: /^auth\.token$/,
      says: /rejects|does not know/,
    },
    {
      what: "a wrong client secret",
      body: (world) => ({ auth: { ...byClient(world), clientSecret: "wrong-secret" } }),
      at: /^auth\.clientSecret$/,
      says: /OAuth client/,
    },
    {
      what: "a login that is no administrator",
      body: (world) => ({ auth: byToken(world) }),
      prepare: (world) => void world.users.changeRole(world.adminId, "agent"),
      at: /^auth/,
      says: /administrator/,
    },
    {
      what: "a token that has ended",
      body: (world) => ({ auth: byToken(world) }),
      prepare: () => void ground.zendesk.faults.add(me, fault.unauthorized("token")),
      at: /^auth/,
      says: /Reconnect|credentials/,
    },
    {
      what: "a scope that was taken away",
      body: (world) => ({ auth: byClient(world) }),
      prepare: () => void ground.zendesk.faults.add(me, fault.forbidden("scope")),
      at: /^auth/,
      says: /scope|access/i,
    },
    {
      what: "a Zendesk that answers HTML",
      body: (world) => ({ auth: byToken(world) }),
      prepare: () => void ground.zendesk.faults.add(me, fault.html(404, "Oops")),
      at: /^(auth|subdomain)/,
      says: /./,
    },
    {
      what: "an account that has moved",
      body: (world) => ({ auth: byToken(world) }),
      prepare: () => void ground.zendesk.faults.add(me, fault.redirect(301, "https://elsewhere.zendesk.com")),
      at: /^subdomain$/,
      says: /redirect|moved/,
    },
    {
      what: "an auth of no known kind",
      body: () => ({ auth: { type: "password", email: "a", password: "b" } }),
      at: /^auth/,
      says: /./,
    },
    {
      what: "an auth without its secret",
      body: () => ({ auth: { type: "api_token", email: "a@b.c" } }),
      at: /^auth\.token$/,
      says: /./,
    },
  ];

  test.each(wrongs)("$what", async ({ what, body, prepare, at, says }) => {
    const world = ground.account(`bad-${wrongs.findIndex((wrong) => wrong.what === what)}`);
    const workspace = await database.workspace();
    prepare?.(world);
    try {
      const options = { key: await api.key(workspace), body: { ...bodyOf(world), ...body(world) } };
      const { status, error } = await api.call(create, path, options);
      expect([status, error?.code]).toEqual([422, "invalid"]);
      expect(error?.details?.[0]?.path).toMatch(at);
      expect(error?.details?.[0]?.message).toMatch(says);
      expect(error?.message.length).toBeGreaterThan(20);
      expect(await countConnections(workspace)).toBe(0);
    } finally {
      ground.zendesk.faults.clear();
    }
  });
});
