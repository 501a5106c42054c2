import { describe, expect, onTestFinished, test } from "vitest";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { leaseTimes } from "#lib/jobs/lease.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { holder } from "#test/jobs/ground.ts";
import { startProcess } from "#test/jobs/process.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";

const ground = useGround();
const { api, database } = ground;
const tickets = "/api/v2/incremental/tickets";

/** An account of 210 tickets, five a page, each page a moment apart. */
async function manyPages(subdomain: string): Promise<Connected> {
  ground.zendesk.faults.add({ subdomain, path: tickets }, fault.slow(20));
  const connected = await ground.connectQueued(subdomain, {
    before: (world) => {
      const [organization] = truth(world).organizations;
      const organizationId = organization?.id ?? null;
      for (let n = 0; n < 200; n++) world.tickets.create({ subject: `More ${n}`, organizationId });
      world.advance(3_600_000);
    },
  });
  await database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("stream_state").set({ page_size: 5 }).where("stream", "=", "tickets").execute(),
  );
  return connected;
}

/** What one transaction of a page changes: rows, the cursor's own count of them, the run log, the counts of organizations. */
const agreement = (connected: Connected) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const count = (row: { n: string | number | bigint | null } | undefined) => Number(row?.n ?? 0);
    const { fn } = trx;
    const stored = await trx.selectFrom("ticket").select(fn.countAll().as("n")).executeTakeFirst();
    const logged = await trx
      .selectFrom("sync_run_stream")
      .select(fn.sum("inserted").as("n"))
      .where("stream", "=", "tickets")
      .executeTakeFirst();
    const counted = await trx.selectFrom("org_metric").select(fn.sum("total").as("n")).executeTakeFirst();
    const place = await trx
      .selectFrom("stream_state")
      .select("position")
      .where("stream", "=", "tickets")
      .where("purpose", "=", "incremental")
      .executeTakeFirst();
    const { rows = 0 } = place?.position ? (JSON.parse(place.position) as { rows: number }) : {};
    return { stored: count(stored), logged: count(logged), counted: count(counted), place: rows };
  });

// Starting a process takes its time on a busy machine.
describe("a process that is killed with -9", { timeout: 180_000 }, () => {
  test("at random moments of its pages leaves rows, cursor, run log and counts of the same page; the next goes on", async () => {
    const random = seededRandom(74);
    const connected = await manyPages("killed");
    const all = truth(connected.world).tickets.length;
    const seen: number[] = [];
    for (let kill = 0; kill < 4; kill++) {
      const before = (await agreement(connected)).stored;
      if (before === all) break;
      const child = startProcess(api.context.config, database.url);
      await eventually(async () => ((await agreement(connected)).stored > before ? true : null), "a page");
      await new Promise((resolve) => setTimeout(resolve, random.next() * 120));
      await child.kill();
      const { stored, logged, counted, place } = await agreement(connected);
      expect({ logged, counted, place }).toEqual({ logged: stored, counted: stored, place: stored });
      seen.push(stored);
    }
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    const child = startProcess(api.context.config, database.url);
    expect((await ground.settled(connected)).state).toBe("succeeded");
    expect(await agreement(connected)).toMatchObject({ stored: all, logged: all, counted: all });
    await child.end();
  });

  test("a second after it was asked to end has stopped at a page all the same", async () => {
    const connected = await manyPages("impatient");
    const child = startProcess(api.context.config, database.url);
    await eventually(async () => ((await agreement(connected)).stored > 20 ? true : null), "some pages");
    const ended = child.end();
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
    await child.kill();
    const { stored, logged, counted, place } = await agreement(connected);
    expect({ logged, counted, place }).toEqual({ logged: stored, counted: stored, place: stored });
    const [run] = (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
    const next = startProcess(api.context.config, database.url);
    const after = await ground.settled(connected);
    expect(after.state).toBe("succeeded");
    // Gracefully ended, the run went on under its number; otherwise another took its place.
    expect(after.id === run?.id).toBe(run?.state === "waiting");
    expect((await agreement(connected)).stored).toBe(truth(connected.world).tickets.length);
    await next.end();
  });
});

describe("a job that lasts many times its lease", () => {
  test("with two workers that look for dead ones all the while has one effect", async () => {
    const times = leaseTimes(600);
    ground.zendesk.faults.add({ subdomain: "long", path: tickets }, fault.slow(800));
    const connected = await ground.connectQueued("long", {
      before: (world) => {
        for (let n = 0; n < 60; n++) world.tickets.create({ subject: `More ${n}` });
        world.advance(3_600_000);
      },
    });
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("stream_state").set({ page_size: 10 }).where("stream", "=", "tickets").execute(),
    );
    const workers = [1, 2].map(() => new Worker(api.context, { holder: holder(), times }));
    onTestFinished(async () => {
      await Promise.all(workers.map((worker) => worker.drain(1000)));
    });
    for (const worker of workers) worker.start();
    expect((await ground.settled(connected)).state).toBe("succeeded");
    const all = (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
    expect(all.map(({ state }) => state)).toEqual(["succeeded"]);
    const asked = ground.zendesk.journal.to(tickets, "long").map(({ query }) => JSON.stringify(query));
    expect(asked.length).toBeGreaterThan(2);
    expect(new Set(asked).size).toBe(asked.length);
    const total = truth(connected.world).tickets.length;
    expect(await agreement(connected)).toMatchObject({ stored: total, logged: total });
  });
});
