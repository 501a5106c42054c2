import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { POST as archive } from "#app/api/v1/connections/[id]/archive/route.ts";
import { POST as disconnect } from "#app/api/v1/connections/[id]/disconnect/route.ts";
import { POST as reconnect } from "#app/api/v1/connections/[id]/reconnect/route.ts";
import { GET as getOne, PATCH as patch, DELETE as remove } from "#app/api/v1/connections/[id]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { GET as start } from "#app/api/v1/connections/oauth/start/route.ts";
import { POST as create, GET as list } from "#app/api/v1/connections/route.ts";
import { tablesOfConnection } from "#lib/connections/store/erase.ts";
import { maintain } from "#lib/jobs/maintenance.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { byToken, type Connected, useGround } from "#test/connections/ground.ts";
import { apiOrigin } from "#test/support/api.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database, connect, settled, requested, idle, putAway } = ground;

const countRows = (connected: Connected, table: string) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${sql.table(table)}
      where connection_id = ${Number(connected.id)}`.execute(trx);
    return rows[0]?.count ?? 0;
  });
const column = (connected: Connected, name: "auth_secret" | "token_secret" | "state" | "login_email") =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const row = await trx.selectFrom("connection").select(name).executeTakeFirst();
    return row?.[name];
  });

describe("disconnecting", () => {
  test("destroys the login, takes the token back at Zendesk, ends the schedules and keeps the rows", async () => {
    const connected = await connect("leaver");
    await settled(connected);
    const tickets = await countRows(connected, "ticket");
    expect(tickets).toBe(10);
    const { status, body } = await api.call(disconnect, `${connected.path}/disconnect`, connected);
    expect([status, body.state, body.nextSyncAt]).toEqual([200, "disconnected", null]);
    expect(await column(connected, "auth_secret")).toBeNull();
    expect(await column(connected, "token_secret")).toBeNull();
    expect(connected.world.access.tokens.at(-1)?.revoked).toBe(true);
    expect(await countRows(connected, "ticket")).toBe(tickets);
  });

  test("in the middle of a run ends that run and every request", async () => {
    ground.zendesk.faults.add({ subdomain: "leaver-mid", path: "/api/v2/incremental" }, fault.slow(1500));
    const connected = await connect("leaver-mid");
    await requested(connected, "/api/v2/incremental");
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    const { body } = await api.call(runs, `${connected.path}/runs`, connected);
    expect(body.items).toMatchObject([{ state: "interrupted", failure: { code: "disconnected" } }]);
    ground.zendesk.faults.clear();
    const asked = () => ground.zendesk.journal.to("/api/v2/", "leaver-mid").length;
    await idle(connected);
    const before = asked();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(asked()).toBe(before);
    const { state, streams } = (await api.call(getOne, connected.path, connected)).body;
    expect(state).toBe("disconnected");
    // Nothing is being read any more, whatever the run could not say any more.
    expect([...streams, ...(body.items[0]?.streams ?? [])].map((stream) => stream.state)).not.toContain("running");
    expect(body.items[0]?.streams.length).toBeGreaterThan(0);
  });

  test("holds also where Zendesk does not confirm it, and can be repeated", async () => {
    const connected = await connect("leaver-unconfirmed");
    await settled(connected);
    ground.zendesk.faults.add({ subdomain: "leaver-unconfirmed", method: "DELETE" }, fault.status(500));
    for (const _ of [1, 2]) {
      const { body } = await api.call(disconnect, `${connected.path}/disconnect`, connected);
      expect(body.state).toBe("disconnected");
    }
    expect(await column(connected, "auth_secret")).toBeNull();
    ground.zendesk.faults.clear();
  });

  test("leaves nothing to sync or to change", async () => {
    const connected = await connect("leaver-idle");
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    const forced = await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "full" } });
    expect([forced.status, forced.error?.code]).toEqual([409, "conflict"]);
    const changed = await api.call(patch, connected.path, { ...connected, body: { paused: true } });
    expect(changed.status).toBe(409);
  });
});

describe("reconnecting", () => {
  test("goes on in place: same connection, same rows, from the place where reading stood", async () => {
    const connected = await connect("back");
    await settled(connected);
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    connected.world.tickets.create({ subject: "While away" });
    connected.world.advance(3_600_000);
    const options = { ...connected, body: { auth: connected.auth } };
    const { body } = await api.call(reconnect, `${connected.path}/reconnect`, options);
    expect(body).toMatchObject({ id: connected.id, state: "active", failure: null });
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await countRows(connected, "ticket")).toBe(11);
  });

  test("works as another administrator of the same account, and not with another account's login", async () => {
    const connected = await connect("successor");
    const { users } = connected.world;
    const successor = users.create({ name: "New Admin", email: "successor@example.com", role: "admin" });
    connected.world.advance(3_600_000);
    await settled(connected);
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    await settled(connected);
    await api.call(disconnect, `${connected.path}/disconnect`, connected);

    const other = ground.account("successor");
    other.users.update(other.adminId, { email: "stranger@example.com" });
    const stranger = { type: "api_token", email: "stranger@example.com", token: other.credentials.token };
    const refused = await api.call(reconnect, `${connected.path}/reconnect`, {
      ...connected,
      body: { auth: stranger },
    });
    expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([422, "auth"]);
    expect(refused.error?.message).toContain("another one now");

    ground.zendesk.serve(connected.world);
    const auth = { type: "api_token", email: successor.email, token: connected.world.credentials.token };
    const { body } = await api.call(reconnect, `${connected.path}/reconnect`, { ...connected, body: { auth } });
    expect(body).toMatchObject({ state: "active", connectedBy: { zendeskEmail: "successor@example.com" } });
    expect((await settled(connected)).state).toBe("succeeded");
  });

  test("of a connection whose run the clock left waiting takes that run up at once", async () => {
    const connected = await connect("left-waiting");
    await settled(connected);
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    const { runId } = await database.inWorkspace(connected.workspace, (trx) =>
      requestRun(trx, scope, { mode: "incremental", trigger: "cron" }, new Date()),
    );
    const options = { ...connected, body: { auth: connected.auth } };
    expect((await api.call(reconnect, `${connected.path}/reconnect`, options)).status).toBe(200);
    expect(await settled(connected)).toMatchObject({ id: runId, state: "succeeded" });
  });

  test("needs a login, since the former one was destroyed", async () => {
    const connected = await connect("forgetful");
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    const { status, error } = await api.call(reconnect, `${connected.path}/reconnect`, { ...connected, body: {} });
    expect([status, error?.details?.[0]?.path]).toEqual([422, "auth"]);
  });
});

describe("changing the login", () => {
  test("is tried at once: a wrong one changes nothing", async () => {
    const connected = await connect("relogin");
    await settled(connected);
    const before = await column(connected, "auth_secret");
    const auth = { ...connected.auth, clientSecret: "wrong" };
    const { status, error } = await api.call(patch, connected.path, { ...connected, body: { auth, name: "New" } });
    expect([status, error?.details?.[0]?.path]).toEqual([422, "auth.clientSecret"]);
    expect(await column(connected, "auth_secret")).toBe(before);
    expect((await api.call(getOne, connected.path, connected)).body.name).toBe("relogin");
  });

  test("in the middle of a run goes on with the new one, and the end of the former one harms nothing", async () => {
    const slow = ground.zendesk.faults.add({ subdomain: "rotated", path: "/api/v2/incremental" }, fault.slow(1500));
    const connected = await connect("rotated", { auth: byToken });
    await requested(connected, "/api/v2/incremental");
    const { body: running } = await api.call(runs, `${connected.path}/runs`, connected);
    connected.world.access.apiTokens.add("the-next-token-4711");
    const auth = { ...connected.auth, token: "the-next-token-4711" };
    expect((await api.call(patch, connected.path, { ...connected, body: { auth } })).status).toBe(200);
    connected.world.access.apiTokens.delete(connected.world.credentials.token);
    slow.remove();
    expect(await settled(connected)).toMatchObject({ id: running.items[0]?.id, state: "succeeded" });
    expect((await api.call(getOne, connected.path, connected)).body).toMatchObject({ state: "active", failure: null });
  });

  test("mends a failing connection, keeps its rows, and reads at once", async () => {
    const connected = await connect("mended", { auth: byToken });
    await settled(connected);
    connected.world.access.apiTokens.clear();
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    expect((await settled(connected)).state).toBe("failed");
    const { body: failing } = await api.call(getOne, connected.path, connected);
    expect(failing.state).toBe("failing");
    expect(failing.failure?.action).toBeTruthy();

    connected.world.access.apiTokens.add("a-fresh-token-4711");
    const auth = { ...connected.auth, token: "a-fresh-token-4711" };
    const { body } = await api.call(patch, connected.path, { ...connected, body: { auth } });
    expect(body).toMatchObject({ state: "active", failure: null, auth: { type: "api_token" } });
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await countRows(connected, "ticket")).toBe(10);
  });
});

describe("archive and delete", () => {
  test("come after disconnect, in that order, and say which step is missing", async () => {
    const connected = await connect("ladder");
    const del = () => api.call(remove, `${connected.path}?data=keep`, connected);
    const early = await api.call(archive, `${connected.path}/archive`, connected);
    expect([early.status, early.error?.message]).toEqual([409, expect.stringContaining("disconnect it first")]);
    expect((await del()).error?.message).toContain("disconnect it first, then archive it");
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    expect((await del()).error?.message).toContain("archive it first");
    const put = await api.call(archive, `${connected.path}/archive`, connected);
    expect(put.body.state).toBe("archived");
    expect((await del()).status).toBe(204);
    expect((await api.call(getOne, connected.path, connected)).status).toBe(404);
  });

  test("with data=keep the rows stay and count, and connecting the account again takes them up", async () => {
    const connected = await connect("kept");
    await settled(connected);
    await putAway(connected);
    await api.call(remove, `${connected.path}?data=keep`, connected);
    expect((await api.call(list, "/api/v1/connections", connected)).body.items).toEqual([]);
    expect(await countRows(connected, "ticket")).toBe(10);

    const again = await api.call(create, "/api/v1/connections", {
      ...connected,
      body: { kind: "zendesk", subdomain: "kept", access: "read", auth: connected.auth },
    });
    expect([again.status, again.body.id]).toEqual([201, connected.id]);
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await countRows(connected, "ticket")).toBe(10);
  });

  test("with data=purge nothing of it is left, another connection keeps everything, and the numbers are right", async () => {
    const kept = await connect("bystander");
    const gone = await connect("purged", { beside: kept });
    await settled(kept);
    await settled(gone);
    await putAway(gone);
    expect((await api.call(remove, `${gone.path}?data=purge`, gone)).status).toBe(204);
    const tables = [
      ...["ticket", "ticket_payload", "ticket_event", "zendesk_user", "zendesk_group", "field_definition"],
      ...["organization", "org_metric", "org_day", "timeline_entry", "match_key", "stream_state", "sync_run"],
      ...["sync_run_stream", "connection_lease", "held_row", "satisfaction_rating", "custom_status"],
    ];
    for (const table of tables) expect([table, await countRows(gone, table)]).toEqual([table, 0]);
    expect(await countRows(kept, "ticket")).toBe(10);
    const total = await database.inWorkspace(kept.workspace, (trx) =>
      trx
        .selectFrom("org_metric")
        .select((eb) => eb.fn.sum<string>("total").as("total"))
        .executeTakeFirst(),
    );
    expect(Number(total?.total)).toBe(10);
    expect((await api.call(list, "/api/v1/connections", kept)).body.items.map((item) => item.id)).toEqual([kept.id]);
  });

  test("erases from every table that knows connections", async () => {
    const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.columns
      where table_schema = 'public' and column_name = 'connection_id' and table_name <> 'oauth_state'`.execute(
      database.db,
    );
    expect(rows.map(({ name }) => name).sort()).toEqual([...tablesOfConnection].sort());
  });

  test("a purge that broke off is finished by the maintenance, as far as the budget of a call goes", async () => {
    const connected = await connect("half-purged");
    await settled(connected);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("connection").set({ state: "purging" }).execute(),
    );
    expect((await api.call(list, "/api/v1/connections", connected)).body.items).toEqual([]);
    await maintain(database.db, new Date(), () => true);
    expect(await countRows(connected, "ticket")).toBe(10);
    await maintain(database.db, new Date());
    expect(await countRows(connected, "ticket")).toBe(0);
    expect(await column(connected, "state")).toBeUndefined();
  });
});

describe("a connection of another workspace", () => {
  test("is not found by any of the calls", async () => {
    const connected = await connect("foreign");
    const key = await api.key(await database.workspace());
    const auth = connected.auth;
    const answers = [
      await api.call(getOne, connected.path, { key }),
      await api.call(patch, connected.path, { key, body: { name: "Mine now" } }),
      await api.call(patch, connected.path, { key, body: { auth } }),
      await api.call(disconnect, `${connected.path}/disconnect`, { key }),
      await api.call(reconnect, `${connected.path}/reconnect`, { key, body: { auth } }),
      await api.call(archive, `${connected.path}/archive`, { key }),
      await api.call(remove, `${connected.path}?data=purge`, { key }),
      await api.call(sync, `${connected.path}/sync`, { key, body: {} }),
      await api.call(runs, `${connected.path}/runs`, { key }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 404));
    expect((await api.call(getOne, connected.path, connected)).body.name).toBe("foreign");
  });
});

test("without an OAuth client the connect button names the variables that are missing", async () => {
  const { cookie } = await api.person(await database.workspace());
  const url = `${apiOrigin}/api/v1/connections/oauth/start?subdomain=acme`;
  const answer = await start(new Request(url, { headers: { cookie } }), { params: Promise.resolve({}) });
  expect(answer.status).toBe(409);
  expect(await answer.text()).toMatch(/ZENDESK_CLIENT_ID.*ZENDESK_CLIENT_SECRET/);
});
