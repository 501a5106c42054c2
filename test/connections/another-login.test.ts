import { describe, expect, test } from "vitest";
import { POST as disconnect } from "#app/api/v1/connections/[id]/disconnect/route.ts";
import { POST as reconnect } from "#app/api/v1/connections/[id]/reconnect/route.ts";
import { GET as getOne, PATCH as patch } from "#app/api/v1/connections/[id]/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { type Connected, useGround } from "#test/connections/ground.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const ground = useGround();
const { api, database, connect, settled } = ground;

async function read(subdomain: string): Promise<Connected> {
  const connected = await connect(subdomain);
  connected.world.advance(3_600_000);
  await settled(connected);
  return connected;
}
const asPerson = (world: World, email: string) => ({ type: "api_token", email, token: world.credentials.token });
const signIn = (connected: Connected, body: object) =>
  api.call(reconnect, `${connected.path}/reconnect`, { ...connected, body });
const places = (connected: Connected) =>
  database.inWorkspace(connected.workspace, (trx) =>
    trx
      .selectFrom("stream_state")
      .select(["stream", "resume_from"])
      .where("purpose", "=", "incremental")
      .orderBy("stream")
      .execute(),
  );
const rows = (connected: Connected) =>
  database.inWorkspace(
    connected.workspace,
    async (trx) => (await trx.selectFrom("ticket").select("id").execute()).length,
  );

describe("a login that has another e-mail, or is another person (rows 64, 66)", () => {
  test("with the same id stops the run, and is taken once a person has confirmed it: rows and cursors stay", async () => {
    const connected = await read("renamed");
    const { world } = connected;
    world.users.update(world.adminId, { email: "married@renamed.example" });
    world.advance(3_600_000);
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: {} });
    expect(await settled(connected)).toMatchObject({ state: "failed", failure: { code: "different_account" } });
    const before = await places(connected);

    const auth = asPerson(world, "married@renamed.example");
    const asked = await signIn(connected, { auth });
    expect([asked.status, asked.error?.code]).toEqual([409, "conflict"]);
    expect(asked.error?.details?.[0]?.path).toBe("confirmLogin");
    expect(asked.error?.message).toContain("answers to this login as Ada Admin (married@renamed.example) now");
    expect(asked.error?.message).toContain("was made as admin@renamed.example");
    expect((await api.call(getOne, connected.path, connected)).body.connectedBy.zendeskEmail).toBe(
      "admin@renamed.example",
    );
    expect(await places(connected)).toEqual(before);

    const taken = await signIn(connected, { auth, confirmLogin: true });
    expect([taken.status, taken.body.connectedBy.zendeskEmail]).toEqual([200, "married@renamed.example"]);
    expect(await rows(connected)).toBe(10);
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await rows(connected)).toBe(10);
  });

  test("who came after the last sync is taken when the rows of before are there for them, and only when confirmed", async () => {
    const connected = await read("newcomer");
    const { world } = connected;
    world.users.create({ name: "Nora New", email: "nora@newcomer.example", role: "admin" });
    await api.call(disconnect, `${connected.path}/disconnect`, connected);
    const auth = asPerson(world, "nora@newcomer.example");
    expect((await signIn(connected, { auth })).status).toBe(409);
    expect((await signIn(connected, { auth, confirmLogin: false })).status).toBe(409);
    expect((await signIn(connected, { auth, confirmLogin: true })).body).toMatchObject({
      state: "active",
      connectedBy: { zendeskEmail: "nora@newcomer.example" },
    });
    expect((await settled(connected)).state).toBe("succeeded");
  });

  test("is taken by Change Login too, with the same word (T-57)", async () => {
    const connected = await read("changed");
    const { world } = connected;
    world.users.create({ name: "Nora New", email: "nora@changed.example", role: "admin" });
    const auth = asPerson(world, "nora@changed.example");
    const asked = await api.call(patch, connected.path, { ...connected, body: { auth } });
    expect([asked.status, asked.error?.details?.[0]?.path]).toEqual([409, "confirmLogin"]);
    const taken = await api.call(patch, connected.path, { ...connected, body: { auth, confirmLogin: true } });
    expect(taken.body.connectedBy.zendeskEmail).toBe("nora@changed.example");
  });

  test("of an account where a colleague of then does not exist is refused, though all else is the same", async () => {
    const connected = await connect("copied", {
      before: (world) => {
        world.users.create({ name: "Carla Colleague", email: "carla@copied.example", role: "agent" });
        world.advance(3_600_000);
      },
    });
    await settled(connected);
    const other = ground.account("copied");
    other.users.update(other.adminId, { email: "bob@copied.example" });
    const auth = asPerson(other, "bob@copied.example");
    expect((await signIn(connected, { auth, confirmLogin: true })).status).toBe(422);
  });

  test("of another account is refused, whatever is confirmed, even where ids and dates are the same", async () => {
    const connected = await read("taken-over");
    // The stand-in gives the ids out in order: the account that took the name has the same ones.
    const other = ground.account("taken-over");
    const [first] = other.organizations.list();
    if (!first) throw new Error("The account has no organization.");
    expect(first.id).toBe(connected.world.organizations.list()[0]?.id);
    other.organizations.update(first.id, { name: "Somebody else" });
    other.users.update(other.adminId, { name: "Bob Boss", email: "bob@taken-over.example" });
    const auth = asPerson(other, "bob@taken-over.example");
    for (const confirmLogin of [undefined, true]) {
      const refused = await signIn(connected, { auth, ...(confirmLogin && { confirmLogin }) });
      expect([refused.status, refused.error?.details?.[0]?.path]).toEqual([422, "auth"]);
    }
    expect((await api.call(getOne, connected.path, connected)).body.connectedBy.zendeskEmail).toBe(
      "admin@taken-over.example",
    );
    expect(ground.zendesk.journal.to("/api/v2/incremental", "taken-over").length).toBeGreaterThan(0);
    expect(await rows(connected)).toBe(10);
  });

  test("of an account that began at another time is refused, though it uses the same ids and names", async () => {
    const connected = await read("younger");
    const other = ground.account("younger");
    for (const organization of other.organizations.list()) organization.createdAt += 1000;
    const admin = other.users.byId.get(other.adminId);
    if (!admin) throw new Error("The account has no administrator.");
    admin.createdAt += 1000;
    other.users.update(other.adminId, { email: "bob@younger.example" });
    const auth = asPerson(other, "bob@younger.example");
    expect((await signIn(connected, { auth, confirmLogin: true })).status).toBe(422);
  });
});
