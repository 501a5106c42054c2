import { rmSync } from "node:fs";
import { sql } from "kysely";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { type BackgroundProcess, startProcess } from "#test/jobs/process.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { truth } from "#test/support/zendesk/truth.ts";

const ground = useGround();
const { api, database, connectQueued, reached, settled } = ground;
const tickets = "/api/v2/incremental/tickets";
const silenceMs = 3000;
const lost = "a run lost its lease and committed nothing more";

const first = () => startProcess(api.context.config, database.url, { silenceMs });
/** A process of another installation: it cannot see whether the first one lives. */
function second(): BackgroundProcess {
  const dataDir = `${api.context.config.dataDir}-neighbour`;
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return startProcess({ ...api.context.config, dataDir }, database.url, { silenceMs });
}
const says = (child: BackgroundProcess, words: string) =>
  eventually(async () => (child.logged.some(({ msg }) => msg === words) ? true : null), `“${words}”`);

/** Whatever a run may write, with the transaction that wrote it last. */
async function written(connected: Connected) {
  const tables = [
    "ticket",
    "ticket_event",
    "stream_state",
    "sync_run",
    "sync_run_stream",
    "org_metric",
    "timeline_entry",
  ];
  const { rows } = await database.inWorkspace(connected.workspace, (trx) =>
    sql<{ row: string }>`${sql.join(
      tables.map((name) => sql`select ${name} || t.xmin::text || t::text as row from ${sql.table(name)} t`),
      sql` union all `,
    )} order by 1`.execute(trx),
  );
  return rows.map(({ row }) => row);
}

async function manyTickets(subdomain: string): Promise<Connected> {
  const connected = await connectQueued(subdomain, {
    before: (world) => {
      for (let n = 0; n < 60; n++) world.tickets.create({ subject: `More ${n}` });
      world.advance(3_600_000);
    },
  });
  await database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("stream_state").set({ page_size: 10 }).where("stream", "=", "tickets").execute(),
  );
  return connected;
}

const stored = (connected: Connected) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const rows = await trx.selectFrom("ticket").select("id").execute();
    return rows.map(({ id }) => id).sort();
  });
const real = ({ world }: Connected) =>
  truth(world)
    .tickets.map(({ id }) => id)
    .sort();
const allRuns = async (connected: Connected) => (await api.call(runs, `${connected.path}/runs`, connected)).body.items;

// Starting a process takes its time on a busy machine.
describe("a holder that is stopped past its lease", { timeout: 120_000 }, () => {
  test("while it waits for Zendesk, and goes on after another finished, commits nothing and says so", async () => {
    const late = ground.zendesk.faults.add({ subdomain: "waits", path: tickets, page: 3 }, fault.slow(4000), {
      times: 1,
    });
    const connected = await manyTickets("waits");
    const a = first();
    await eventually(async () => (late.strikes > 0 ? true : null), "the third page to be asked for");
    a.freeze();
    const { id } = await reached(connected, "running");
    const b = second();
    await says(b, "a run goes on");
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await stored(connected)).toEqual(real(connected));

    const before = await written(connected);
    a.thaw();
    await says(a, lost);
    expect(await written(connected)).toEqual(before);
    expect((await allRuns(connected)).map((run) => [run.id === id, run.state])).toEqual([
      [false, "succeeded"],
      [true, "interrupted"],
    ]);
    expect(await a.end()).toBe(0);
  });

  test("in the middle of a commit is cut off by the server; what it goes on with comes to nothing", async () => {
    const connected = await manyTickets("commits");
    const rival = new pg.Client({ connectionString: database.url });
    rival.on("error", () => {});
    await rival.connect();
    onTestFinished(() => rival.end().catch(() => {}));
    // The page's transaction has passed the lease and waits here.
    await rival.query("begin; lock table ticket in share mode");
    const a = first();
    await eventually(async () => {
      const { rows } = await sql`select from pg_locks l join pg_stat_activity s using (pid)
        where not l.granted and s.datname = current_database()`.execute(database.db);
      return rows.length > 0 ? true : null;
    }, "a page that waits for the table");
    a.freeze();
    await rival.query("rollback");
    const b = second();
    await says(b, "a run goes on");
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await stored(connected)).toEqual(real(connected));

    const before = await written(connected);
    a.thaw();
    await says(a, lost);
    expect(await written(connected)).toEqual(before);
    expect((await allRuns(connected)).map((run) => run.state)).toEqual(["succeeded", "interrupted"]);
    expect(await a.end()).toBe(0);
  });
});
