import { expect, test } from "vitest";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { type BackgroundProcess, startProcess } from "#test/jobs/process.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database } = ground;
const tickets = "/api/v2/incremental/tickets";

/** Asks it to end as whoever supervises it does: what goes on after 20 s is killed (row 84). */
async function endedInTime(child: BackgroundProcess): ReturnType<BackgroundProcess["end"]> {
  const killed = setTimeout(() => child.kill(), 20_000);
  return child.end().finally(() => clearTimeout(killed));
}

async function listening(child: BackgroundProcess): Promise<string> {
  const port = await eventually(async () => {
    const line = child.logged.find(({ msg }) => msg === "listening");
    return typeof line?.port === "number" ? line.port : null;
  }, "the server to listen");
  return `http://127.0.0.1:${port}`;
}

/** An account of a hundred tickets, of which a page holds ten; nothing of it was read yet. */
async function ofTenPages(subdomain: string): Promise<Connected> {
  const connected = await ground.connectQueued(subdomain, {
    before: (world) => {
      for (let n = 0; n < 90; n++) world.tickets.create({ subject: `More ${n}` });
      world.advance(3_600_000);
    },
  });
  await database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("stream_state").set({ page_size: 10 }).where("stream", "=", "tickets").execute(),
  );
  return connected;
}

test("a server that is asked to stop is no longer ready, finishes its page and the request it is answering, and ends well", async () => {
  const slowed = ground.zendesk.faults.add({ subdomain: "stops", path: tickets, page: [3, 4, 5] }, fault.slow(1000));
  await api.person(await database.workspace(), "admin");
  const connected = await ofTenPages("stops");
  const child = startProcess(api.context.config, database.url, { script: "serving-main.ts" });
  const address = await listening(child);
  const status = async (path: string) => (await fetch(`${address}${path}`)).status;
  await eventually(async () => (slowed.strikes > 0 ? true : null), "a slow page");
  expect(await status("/api/health/ready")).toBe(200);

  const open = fetch(`${address}/slow`).then((answer) => answer.json());
  await status("/api/health/live"); // the open request came before this one
  const ended = endedInTime(child);
  await eventually(async () => ((await status("/api/health/ready")) === 503 ? true : null), "readiness to turn red");
  expect(await status("/api/health/live")).toBe(200);
  expect(await open).toEqual({ done: true });
  expect(await ended).toBe(0);

  const [run] = (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
  expect(run).toMatchObject({ state: "waiting", waitingUntil: null, failure: null });
  const { holder, stored, inserted } = await database.inWorkspace(connected.workspace, async (trx) => ({
    holder: (await trx.selectFrom("connection_lease").select("holder").executeTakeFirstOrThrow()).holder,
    stored: (await trx.selectFrom("ticket").select("id").execute()).length,
    inserted: run?.streams.find(({ name }) => name === "tickets")?.rows.inserted,
  }));
  expect(holder).toBeNull();
  expect(stored).toBe(inserted);
  expect(stored).toBeLessThan(100);
}, 60_000);

test("one that is asked to stop while Zendesk does not answer, nor it an open request, has ended before it is killed after 20 s; its run goes on under its number", async () => {
  const silent = ground.zendesk.faults.add({ subdomain: "hangs", path: tickets, page: 3 }, fault.hang());
  const connected = await ofTenPages("hangs");
  const child = startProcess(api.context.config, database.url, { script: "serving-main.ts" });
  const address = await listening(child);
  await eventually(async () => (silent.strikes > 0 ? true : null), "the page that does not come");
  const open = fetch(`${address}/endless`).catch(() => null);
  await fetch(`${address}/api/health/live`); // the open request came before this one
  expect(await endedInTime(child)).toBe(0);
  expect(await open).toBeNull();

  const [run] = (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
  expect(run).toMatchObject({ state: "waiting", failure: null });
  const stored = () =>
    database.inWorkspace(connected.workspace, (trx) => trx.selectFrom("ticket").select("id").execute());
  expect((await stored()).length).toBe(run?.streams.find(({ name }) => name === "tickets")?.rows.inserted);
  expect((await stored()).length).toBeLessThan(100);

  silent.remove();
  const next = startProcess(api.context.config, database.url);
  expect(await ground.settled(connected)).toMatchObject({ id: run?.id, state: "succeeded" });
  expect((await stored()).length).toBe(100);
  await next.end();
});
