import { describe, expect, test } from "vitest";
import { requestRun } from "#lib/jobs/request.ts";
import { useGround } from "#test/connections/ground.ts";
import { startProcess } from "#test/jobs/process.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const ground = useGround();
const { api, database } = ground;

/** INV-HONEST: nothing that was visible before the instant that is claimed is missing, or there in an older version. */
async function claimed(account: Account): Promise<number> {
  const state = await account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select("fresh_through")
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", "tickets")
      .where("purpose", "=", "incremental")
      .executeTakeFirst(),
  );
  const through = (state?.fresh_through?.getTime() ?? 0) / 1000;
  const known = new Map((await stored(account)).tickets.map((ticket) => [ticket.id, ticket]));
  const { tickets } = truth(account.world);
  const missing = tickets.filter(({ id, createdAt }) => Date.parse(createdAt) / 1000 < through && !known.has(id));
  expect(missing).toEqual([]);
  const older = tickets.filter(
    ({ id, generatedTimestamp }) =>
      generatedTimestamp < through && Number(known.get(id)?.generated_timestamp) < generatedTimestamp,
  );
  expect(older).toEqual([]);
  return through;
}

describe("a wave of spam", () => {
  const subjects = [
    "🎰💰 𝓦𝓘𝓝 𝓑𝓘𝓖 💰🎰",
    "أنت الفائز! اضغط هنا",
    "您已中奖‼️ 请点击",
    "Z̷̡͇a̶l̴g̸o̵ ť̶e̷x̸t̸",
    "‮txet desrever",
    "👩‍👩‍👧‍👦".repeat(30),
    "﷽ ½ ﬁ Ǆ ẞ",
  ];

  test("of a hundred times the usual tickets makes the backlog grow and nothing else; freshness stays what is true", async () => {
    const world = randomWorld(125, { tickets: 10, days: 3, turmoil: false });
    const account = await connect(database, world);
    await account.sync();
    await expectConverged(account);
    const before = await claimed(account);
    const spam: string[] = [];
    for (let n = 0; n < 1000; n++) {
      const requesterId = world.users.create({ name: `💥 ${n}`, email: `spam${n}@relay.example` }).id;
      spam.push(world.tickets.create({ subject: `${subjects[n % subjects.length]} ${n}`, requesterId }).id);
      if (n % 10 === 0) world.advance(MINUTE);
    }
    let held = 0;
    for (let turn = 0; turn < 3; turn++) {
      // A turn of two pages, as a small budget allows: new tickets come faster than they are read.
      await account.read((trx) =>
        trx.updateTable("stream_state").set({ page_size: 100 }).where("stream", "=", "tickets").execute(),
      );
      account.zendesk.journal.clear();
      const pages = () => account.zendesk.journal.to("/api/v2/incremental/tickets").length;
      await account.sync({ streams: ["tickets"], deadline: () => pages() >= 2 });
      held = (await stored(account)).tickets.length;
      expect(await claimed(account)).toBe(before);
      for (let n = 0; n < 150; n++) world.tickets.create({ subject: `${subjects[n % subjects.length]}` });
      // Some of what was read already is behind its account again.
      for (const id of spam.slice(0, 50)) world.tickets.update(id, { tags: [`spam${turn}`] });
      world.advance(MINUTE);
    }
    expect(truth(world).tickets.length - held).toBeGreaterThan(500);
    expect(held).toBeGreaterThan(100);

    world.advance(HOUR);
    const outcome = await account.sync();
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    expect(await claimed(account)).toBeGreaterThan(before);
    await expectConverged(account);
  });
});

describe("pages as large as they come", () => {
  test("a thousand tickets and five thousand events in one page each are stored whole", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    for (let n = 0; n < 1000; n++) {
      const { id } = world.tickets.create({ subject: `T${n}`, tags: ["a", "b"], priority: "low" });
      world.tickets.update(id, { status: "pending", priority: "urgent", type: "task", tags: [`t${n}`] });
    }
    world.advance(HOUR);
    const account = await connect(database, world);
    const outcome = await account.sync();
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    const { tickets, events } = await account.read(async (trx) => ({
      tickets: (await trx.selectFrom("ticket").select("id").execute()).length,
      events: (await trx.selectFrom("ticket_event").select("id").execute()).length,
    }));
    expect(tickets).toBe(1000);
    expect(events).toBeGreaterThanOrEqual(5000);
    const pages = account.zendesk.journal.to("/api/v2/incremental/tickets").length;
    expect(pages).toBeLessThanOrEqual(2);
    await expectConverged(account);
  });
});

describe("a backfill", () => {
  test("of several times what the process may hold, and the deletion of two in five afterwards, need no more memory at their end than at their beginning", async () => {
    const megabytes = 112;
    const [tickets, bytes] = [3500, 70_000];
    expect(tickets * bytes).toBeGreaterThan(2 * megabytes * 1024 * 1024);
    const description = "x".repeat(bytes);
    // Zendesk gives no page of more than it can make in time.
    const pages = { subdomain: "backfill", path: "/api/v2/incremental/tickets" };
    ground.zendesk.faults.add(pages, fault.tooHeavy(100, 413));
    const connected = await ground.connectQueued("backfill", {
      before: (world) => {
        for (let n = 0; n < tickets; n++) world.tickets.create({ subject: `T${n}`, description });
        world.advance(HOUR);
      },
    });
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("stream_state").set({ page_size: 50 }).where("stream", "=", "tickets").execute(),
    );
    const child = startProcess(api.context.config, database.url, {
      nodeArgs: [`--max-old-space-size=${megabytes}`, "--expose-gc", "--import", saysWhatItHolds],
    });
    const held: number[] = [];
    // By page and not by time: how fast it starts and reads is the machine's affair.
    ground.zendesk.faults.after(pages, () => {
      const holds = child.logged.findLast(({ msg }) => msg === "holds")?.megabytes;
      if (typeof holds === "number") held.push(holds);
    });
    const over = async () => {
      const run = await Promise.race([ground.settled(connected), child.ended]);
      if (run === null || typeof run !== "object") throw new Error(`The process ended: ${run}`);
      expect(run.state).toBe("succeeded");
    };
    await over();
    const { world } = connected;
    const gone = truth(world)
      .tickets.filter((_, n) => n % 5 < 2)
      .map(({ id }) => id);
    for (const id of gone) world.tickets.delete(id);
    world.advance(HOUR);
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    await database.inWorkspace(connected.workspace, (trx) =>
      requestRun(trx, scope, { mode: "incremental", trigger: "person" }, new Date()),
    );
    await over();
    const deleted = await database.inWorkspace(connected.workspace, (trx) =>
      trx.selectFrom("ticket").select("id").where("deleted_at", "is not", null).execute(),
    );
    expect(deleted.length).toBe(gone.length);
    const part = Math.floor(held.length / 4);
    expect(part).toBeGreaterThan(5);
    const median = (of: number[]) => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
    const growth = median(held.slice(-part)) - median(held.slice(part, 2 * part));
    expect(growth).toBeLessThan(25);
    await child.end();
  }, 180_000);
});

/** What is still reachable: garbage that nobody has collected yet is no growth. */
const saysWhatItHolds = `data:text/javascript,${encodeURIComponent(`
  setInterval(() => {
    gc();
    const { heapUsed, external } = process.memoryUsage();
    console.log(JSON.stringify({ msg: "holds", megabytes: (heapUsed + external) / 1024 / 1024 }));
  }, 250).unref();
`)}`;
