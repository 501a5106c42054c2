import { sql } from "kysely";
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { POST as bulk } from "#app/api/v1/accounts/bulk/route.ts";
import { GET as accounts } from "#app/api/v1/accounts/route.ts";
import { POST as syncRoute } from "#app/api/v1/connections/[id]/sync/route.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { truth } from "#test/support/zendesk/truth.ts";

const ground = useGround();
const { api, database } = ground;

/** Until `release`, every transaction that changed a ticket of the connection has done all its work and does not end. */
async function holdCommits(connectionId: string): Promise<{ release: () => Promise<void> }> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(`
    create function linger() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock_shared(81); return null; end $$;
    create constraint trigger linger after insert or update on ticket deferrable initially deferred
      for each row when (new.connection_id = ${Number(connectionId)}) execute function linger();
    select pg_advisory_lock(81)`);
  const release = async () => {
    await owner.query("select pg_advisory_unlock_all()");
    await owner.end();
  };
  return { release };
}

const isCommitting = () =>
  eventually(async () => {
    const { rows } = await sql`select from pg_locks where locktype = 'advisory' and not granted`.execute(database.db);
    return rows.length > 0 ? true : null;
  }, "a page that does not end");

const moved = (connected: Connected, many: number) => {
  const [organization] = truth(connected.world).organizations;
  const organizationId = organization?.id ?? null;
  for (let n = 0; n < many; n++) connected.world.tickets.create({ subject: `Late ${n}`, organizationId });
  connected.world.advance(3_600_000);
};

test("a page that commits long after younger ones is in every number and every list, as they are", async () => {
  const slow = await ground.connect("slow-commit");
  await ground.settled(slow);
  const quick = await ground.connect("quick-commit", { beside: slow });
  await ground.settled(quick);
  const { key, workspace } = slow;
  moved(slow, 12);
  moved(quick, 7);
  const { release } = await holdCommits(slow.id);
  let released = false;
  onTestFinished(async () => {
    if (!released) await release();
  });
  const sync = (connected: Connected) =>
    api.call(syncRoute, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } });
  await sync(slow);
  await isCommitting();
  // Meanwhile: another connection's run, and accounts that are made and listed.
  await sync(quick);
  const body = { accounts: [{ externalId: "NW-1", name: "Northwind" }] };
  const made = api.call(bulk, "/api/v1/accounts/bulk", { key, body });
  await ground.requested(quick, "/api/v2/incremental/users");
  await release();
  released = true;
  expect((await ground.settled(slow)).state).toBe("succeeded");
  expect((await ground.settled(quick)).state).toBe("succeeded");
  expect((await made).body).toMatchObject({ created: 1 });

  const all = truth(slow.world).tickets.length + truth(quick.world).tickets.length;
  const { rows } = await database.inWorkspace(workspace, (trx) =>
    sql<{ stored: number; counted: number; told: number }>`select
      (select count(*)::int from ticket) as stored, (select sum(total)::int from org_metric) as counted,
      (select count(*)::int from timeline_entry where kind = 'ticket_created') as told`.execute(trx),
  );
  expect(rows[0]).toEqual({ stored: all, counted: all, told: all });
  const { differing } = await database.inWorkspace(workspace, (trx) => rebuildMetrics(trx, workspace, new Date()));
  expect(differing).toBe(0);
  const csv = (await api.call(accounts, "/api/v1/accounts?format=csv", { key })).text;
  expect(csv).toContain("Northwind");
});
