import { expect, test } from "vitest";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { eventually, useGround } from "#test/connections/ground.ts";
import { startProcess } from "#test/jobs/process.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database } = ground;
const tickets = "/api/v2/incremental/tickets";

test("a server that is asked to stop is no longer ready, finishes its page and the request it is answering, and ends well", async () => {
  const slowed = ground.zendesk.faults.add({ subdomain: "stops", path: tickets, page: [3, 4, 5] }, fault.slow(1000));
  await api.person(await database.workspace(), "admin");
  const connected = await ground.connectQueued("stops", {
    before: (world) => {
      for (let n = 0; n < 90; n++) world.tickets.create({ subject: `More ${n}` });
      world.advance(3_600_000);
    },
  });
  await database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("stream_state").set({ page_size: 10 }).where("stream", "=", "tickets").execute(),
  );
  const child = startProcess(api.context.config, database.url, { script: "serving-main.ts" });
  const port = await eventually(async () => {
    const line = child.logged.find(({ msg }) => msg === "listening");
    return typeof line?.port === "number" ? line.port : null;
  }, "the server to listen");
  const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  await eventually(async () => (slowed.strikes > 0 ? true : null), "a slow page");
  expect(await status("/api/health/ready")).toBe(200);

  const open = fetch(`http://127.0.0.1:${port}/slow`).then((answer) => answer.json());
  await status("/api/health/live"); // the open request came before this one
  const ended = child.end();
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
