import { describe, expect, test } from "vitest";
import { POST as disconnect } from "#app/api/v1/connections/[id]/disconnect/route.ts";
import { POST as reconnect } from "#app/api/v1/connections/[id]/reconnect/route.ts";
import { GET as getOne, PATCH as patch, DELETE as remove } from "#app/api/v1/connections/[id]/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { POST as create } from "#app/api/v1/connections/route.ts";
import { byToken, type Connected, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const ground = useGround();
const { api, database, connect, settled, putAway } = ground;

async function read(subdomain: string, options?: Parameters<typeof connect>[1]): Promise<Connected> {
  const connected = await connect(subdomain, options);
  connected.world.advance(3_600_000);
  await settled(connected);
  return connected;
}

/** The account is renamed: it answers at the new subdomain, and with a redirect at the old one. */
function rename(world: World, to: string): void {
  const { subdomain } = world;
  ground.zendesk.serve(Object.assign(world, { subdomain: to }));
  ground.zendesk.faults.add({ subdomain }, fault.redirect(301, ground.zendesk.url.replace("{subdomain}", to)));
}

const signIn = (connected: Connected, body: object) =>
  api.call(reconnect, `${connected.path}/reconnect`, { ...connected, body });
const change = (connected: Connected, body: object) => api.call(patch, connected.path, { ...connected, body });
const seen = async (connected: Connected) => (await api.call(getOne, connected.path, connected)).body;
const whole = ["ticket", "ticket_event", "zendesk_user", "organization", "match_key"] as const;
/** How many rows the workspace has, and what its numbers add up to. */
const held = (connected: Connected) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const counts: Record<string, number> = {};
    for (const table of whole) counts[table] = (await trx.selectFrom(table).select("connection_id").execute()).length;
    const metrics = await trx.selectFrom("org_metric").select("total").execute();
    return { ...counts, total: metrics.reduce((sum, { total }) => sum + Number(total), 0) };
  });
const places = (connected: Connected) =>
  database.inWorkspace(connected.workspace, (trx) =>
    trx
      .selectFrom("stream_state")
      .select(["stream", "position", "resume_from"])
      .where("purpose", "=", "incremental")
      .where("connection_id", "=", Number(connected.id))
      .orderBy("stream")
      .execute(),
  );

describe("an account that was renamed", () => {
  test("fails, is reconnected at its new subdomain, and goes on where it stood: nothing is read or counted twice (row 65)", async () => {
    const connected = await read("before");
    const rows = await held(connected);
    expect(rows).toMatchObject({ ticket: 10, total: 10 });
    rename(connected.world, "after");
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    expect(await settled(connected)).toMatchObject({ state: "failed", failure: { code: "account_moved" } });
    expect(await seen(connected)).toMatchObject({
      state: "failing",
      failure: { action: expect.stringContaining("reconnect with its new subdomain") },
    });
    expect((await signIn(connected, { auth: connected.auth })).error?.details?.[0]?.path).toBe("subdomain");
    const stood = await places(connected);
    expect(ground.zendesk.journal.to("/", "after")).toEqual([]);

    const { body } = await signIn(connected, { auth: connected.auth, subdomain: "https://After.zendesk.com/agent" });
    expect(body).toMatchObject({ id: connected.id, subdomain: "after", state: "active", failure: null });
    expect(await settled(connected)).toMatchObject({ mode: "incremental", state: "succeeded" });
    const [first] = ground.zendesk.journal.to("/api/v2/incremental/tickets", "after");
    const place = stood.find(({ stream }) => stream === "tickets");
    expect(Number(first?.query.start_time)).toBeGreaterThan(0);
    expect(place?.resume_from).not.toBeNull();
    expect(await held(connected)).toEqual(rows);

    connected.world.tickets.create({ subject: "After the renaming" });
    connected.world.advance(3_600_000);
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await held(connected)).toMatchObject({ ticket: 11 });
  });

  test("is followed by Change Login, and after a disconnection, too", async () => {
    const connected = await read("first-name");
    rename(connected.world, "second-name");
    const word = await change(connected, { subdomain: "second-name" });
    expect([word.status, word.error?.details?.[0]?.path]).toEqual([422, "auth"]);
    expect((await change(connected, { subdomain: "first-name", name: "Desk" })).status).toBe(200);
    const changed = await change(connected, { auth: connected.auth, subdomain: "second-name" });
    expect(changed.body).toMatchObject({ name: "Desk", subdomain: "second-name", state: "active" });
    expect((await settled(connected)).state).toBe("succeeded");

    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    rename(connected.world, "third-name");
    const { body } = await signIn(connected, { auth: connected.auth, subdomain: "third-name" });
    expect(body).toMatchObject({ subdomain: "third-name", state: "active" });
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await held(connected)).toMatchObject({ ticket: 10, total: 10 });
  });

  test("before anything was read is followed by the login that it was connected with", async () => {
    const unread = await ground.connectQueued("not-yet");
    await database.inWorkspace(unread.workspace, (trx) => trx.deleteFrom("sync_run").execute());
    rename(unread.world, "renamed-early");
    const { body } = await signIn(unread, { auth: unread.auth, subdomain: "renamed-early" });
    expect(body).toMatchObject({ subdomain: "renamed-early", state: "active" });
  });

  test("with another person's login asks for a word, as at the old subdomain (row 66)", async () => {
    const connected = await read("old-home");
    const { world } = connected;
    rename(world, "new-home");
    world.users.create({ name: "Nora New", email: "nora@new-home.example", role: "admin" });
    const auth = { ...byToken(world), email: "nora@new-home.example" };
    const asked = await signIn(connected, { auth, subdomain: "new-home" });
    expect([asked.status, asked.error?.details?.[0]?.path]).toEqual([409, "confirmLogin"]);
    expect(asked.error?.message).toContain("new-home answers to this login as Nora New");
    expect((await seen(connected)).subdomain).toBe("old-home");
    const taken = await signIn(connected, { auth, subdomain: "new-home", confirmLogin: true });
    expect(taken.body).toMatchObject({
      subdomain: "new-home",
      connectedBy: { zendeskEmail: "nora@new-home.example" },
    });
  });
});

describe("a subdomain", () => {
  test("of another account is refused, whatever is confirmed, and before anything was read as well (row 64)", async () => {
    const connected = await read("ours");
    const other = ground.account("theirs");
    const [organization] = other.organizations.list();
    other.organizations.update(organization?.id ?? "", { name: "Somebody else" });
    other.users.update(other.adminId, { name: "Bob Boss" });
    const unread = await ground.connectQueued("unread");
    for (const [one, confirmLogin] of [
      [connected, false],
      [connected, true],
      [unread, true],
    ] as const) {
      const refused = await signIn(one, { auth: byToken(other), subdomain: "theirs", confirmLogin });
      expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([422, "subdomain"]);
    }
    expect((await seen(connected)).subdomain).toBe("ours");
  });

  test("that another connection has is refused with its name, before the login is tried", async () => {
    const connected = await read("mine");
    const twin = await read("twin", { beside: connected });
    const before = ground.zendesk.journal.to("/", "twin").length;
    for (const send of [signIn, change]) {
      const refused = await send(connected, { auth: connected.auth, subdomain: "twin" });
      expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([409, "subdomain"]);
      expect(refused.error?.message).toContain(`already connected as “twin” (connection ${twin.id})`);
    }
    expect(ground.zendesk.journal.to("/", "twin")).toHaveLength(before);
  });

  test("whose rows were kept is refused where they are the same account's, and counts once they are gone", async () => {
    const connected = await read("doubled");
    const { world } = connected;
    rename(world, "doubled-new");
    const body = { auth: connected.auth, subdomain: "doubled-new" };
    const again = await connect("elsewhere", { beside: connected });
    await settled(again);
    await putAway(again);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("connection").set({ subdomain: "doubled-new" }).where("id", "=", Number(again.id)).execute(),
    );
    await api.call(remove, `${again.path}?data=keep`, again);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx
        .updateTable("zendesk_user")
        .set({ email: world.credentials.email })
        .where("connection_id", "=", Number(again.id))
        .where("id", "=", world.adminId)
        .execute(),
    );
    const refused = await signIn(connected, body);
    expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([409, "subdomain"]);
    expect(refused.error?.message).toContain("were kept when “elsewhere” was deleted");
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.deleteFrom("zendesk_user").where("connection_id", "=", Number(again.id)).execute(),
    );
    expect((await signIn(connected, body)).body).toMatchObject({ subdomain: "doubled-new", state: "active" });
  });

  test("under which rows of two accounts were kept gives those back that a login belongs to", async () => {
    const first = await read("handed-on");
    const second = await read("lodger", { beside: first });
    for (const connected of [first, second]) {
      await putAway(connected);
      await api.call(remove, `${connected.path}?data=keep`, connected);
    }
    await database.inWorkspace(first.workspace, (trx) =>
      trx.updateTable("connection").set({ subdomain: "handed-on" }).where("id", "=", Number(second.id)).execute(),
    );
    ground.zendesk.serve(Object.assign(second.world, { subdomain: "handed-on" }));
    const body = { kind: "zendesk", subdomain: "handed-on", access: "read", auth: second.auth };
    const again = await api.call(create, "/api/v1/connections", { ...first, body });
    expect([again.status, again.body?.id]).toEqual([201, second.id]);
  });

  test.each(["evil.example.com/#", "a@b", "", "acme%2ezendesk"])(
    "%j is refused at its field (row 107)",
    async (wrong) => {
      const connected = await ground.connectQueued(`typed-${wrong.length}`);
      for (const send of [signIn, change]) {
        const refused = await send(connected, { auth: connected.auth, subdomain: wrong });
        expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([422, "subdomain"]);
      }
    },
  );

  test("is taken by this name only: what else is sent is refused by its name", async () => {
    const connected = await ground.connectQueued("exact");
    const refused = await signIn(connected, { auth: connected.auth, domain: "exact" });
    expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([422, "domain"]);
  });
});
