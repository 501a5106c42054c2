import pg from "pg";
import { beforeEach, describe, expect, test } from "vitest";
import { GET as held } from "#app/api/v1/connections/[id]/held/route.ts";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { truth } from "#test/support/zendesk/truth.ts";

const ground = useGround();
const { api, database, settled } = ground;
const tickets = "/api/v2/incremental/tickets";

async function asOwner(text: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  owner.on("error", () => {});
  await owner.connect();
  await owner.query("set default_transaction_read_only = off");
  await owner.query(text).finally(() => owner.end());
}
const name = new URL(database.url).pathname.slice(1);
const dropSessions = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`;

/** What the next run goes by, and what was claimed. */
const standing = (connected: Connected) =>
  database.inWorkspace(connected.workspace, async (trx) => ({
    tickets: await trx.selectFrom("ticket").select(["id", "generated_timestamp"]).orderBy("id").execute(),
    places: await trx
      .selectFrom("stream_state")
      .select(["purpose", "resume_from", "fresh_through"])
      .where("stream", "=", "tickets")
      .orderBy("purpose")
      .execute(),
  }));
const force = async (connected: Connected) =>
  (await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } })).body.runId;
const expectConverged = async (connected: Connected) =>
  expect((await standing(connected)).tickets.map(({ id }) => id)).toEqual(
    truth(connected.world).tickets.map(({ id }) => id),
  );

/** An account of 40 more tickets than were read, ten a page. */
async function behind(subdomain: string): Promise<Connected> {
  const connected = await ground.connect(subdomain);
  await settled(connected);
  await ground.idle(connected);
  await database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("stream_state").set({ page_size: 10 }).where("stream", "=", "tickets").execute(),
  );
  for (let n = 0; n < 40; n++) connected.world.tickets.create({ subject: `More ${n}` });
  connected.world.advance(3_600_000);
  return connected;
}

beforeEach(() => {
  api.logged.length = 0;
});

describe("a database that cannot take a page", () => {
  test.each([
    ["whose disk is full", "53100"],
    ["that cancels the statement after its time", "57014"],
  ])("%s fails the run in words; no row is held for it and no place moves", async (_, code) => {
    const connected = await behind(`refuses-${code}`);
    const before = await standing(connected);
    // What the server says when it runs out of something, said by the table.
    await asOwner(`create function refuse_${code}() returns boolean language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = '${code}'; end $$;
      alter table ticket add constraint refused check (refuse_${code}()) not valid`);
    await force(connected);
    const run = await settled(connected).finally(() => asOwner("alter table ticket drop constraint refused"));
    expect(run).toMatchObject({
      state: "failed",
      failure: { code: "database", action: expect.stringContaining("goes on") },
    });
    expect(await standing(connected)).toEqual(before);
    expect((await api.call(held, `${connected.path}/held`, connected)).body.items).toEqual([]);
    expect((await api.call(getOne, connected.path, connected)).body).toMatchObject({
      state: "failing",
      failure: { code: "database" },
    });

    await force(connected);
    expect((await settled(connected)).state).toBe("succeeded");
    await expectConverged(connected);
    expect((await api.call(getOne, connected.path, connected)).body.failure).toBeNull();
  });

  test("that only reads from the middle of a run on keeps what was committed, serves readers, refuses writers with 503", async () => {
    const connected = await behind("read-only");
    ground.zendesk.faults.before(
      { path: tickets, subdomain: "read-only", page: 3 },
      async () => {
        await asOwner(`alter database ${name} set default_transaction_read_only = on; ${dropSessions}`);
      },
      { times: 1 },
    );
    await force(connected);
    await eventually(
      async () => (api.logged.some((line) => line.includes("a run broke off")) ? true : null),
      "the run to break off",
    );
    const during = await standing(connected);
    expect(during.tickets.length).toBeLessThan(truth(connected.world).tickets.length);
    expect((await api.call(getOne, connected.path, connected)).status).toBe(200);
    const refused = await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "full" } });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await standing(connected)).toEqual(during);

    await asOwner(`alter database ${name} reset default_transaction_read_only; ${dropSessions}`);
    // A session that has just been ended may meet one more request.
    await eventually(
      async () => ((await api.call(getOne, connected.path, connected)).status === 200 ? true : null),
      "the database to be back",
    );
    const run = await settled(connected);
    expect(run).toMatchObject({ state: "failed", failure: { code: "database" } });
    await force(connected);
    expect((await settled(connected)).state).toBe("succeeded");
    await expectConverged(connected);
  });
});
