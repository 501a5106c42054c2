import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { GET as accountMetrics } from "#app/api/v1/accounts/[id]/metrics/route.ts";
import { POST as bulk } from "#app/api/v1/accounts/bulk/route.ts";
import { GET as accounts } from "#app/api/v1/accounts/route.ts";
import { PUT as setMatchKeys } from "#app/api/v1/connections/[id]/match-keys/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { GET as deliveries } from "#app/api/v1/deliveries/route.ts";
import { POST as createDestination } from "#app/api/v1/destinations/route.ts";
import { GET as events } from "#app/api/v1/events/route.ts";
import { POST as createSource } from "#app/api/v1/sources/route.ts";
import { PATCH as changeWorkspace } from "#app/api/v1/workspace/route.ts";
import { POST as door } from "#app/v1/[door]/route.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import { useGround } from "#test/connections/ground.ts";
import { requestOf, testEnvironment } from "#test/support/api.ts";

const ground = useGround();
const { api, database } = ground;
const root = path.resolve(import.meta.dirname, "../..");

/** A night on which clocks change, seen shortly after it. */
const now = "2026-03-09T03:30:00Z";

test("every answer is the same to the byte, whatever zone the process runs in", async () => {
  const connected = await ground.connect("zones", {
    body: { access: "read_write" },
    before: (world) => {
      world.advanceTo("2026-03-05T00:00:00Z");
      const [organization] = world.organizations.list();
      for (const at of ["06:59:59", "07:00:00", "07:30:00", "08:00:00", "23:59:59"]) {
        const ticket = world.at(`2026-03-08T${at}Z`, () =>
          world.tickets.create({ subject: `At ${at}`, priority: "high", organizationId: organization?.id ?? null }),
        );
        world.at("2026-03-08T23:59:59Z", () => world.tickets.solve(ticket.id));
        world.at("2026-03-09T01:00:00Z", () => world.ratings.rate(ticket.id, "bad", { comment: "02:30" }));
      }
      world.advanceTo("2026-03-09T03:00:00Z");
    },
  });
  const { key, path: connection, workspace } = connected;
  const keys = [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" as const }];
  await api.call(setMatchKeys, `${connection}/match-keys`, { key, body: { keys } });
  await api.call(bulk, "/api/v1/accounts/bulk", {
    key,
    body: { accounts: [{ externalId: "NW-1", name: "Northwind" }] },
  });
  await api.call(changeWorkspace, "/api/v1/workspace", { key, body: { timeZone: "America/New_York" } });
  await ground.settled(connected);
  await api.call(sync, `${connection}/sync`, { key, body: { mode: "reconcile" } });
  await ground.settled(connected);
  const { id: user } = await database.db
    .insertInto("app_user")
    .values({
      workspace_id: workspace,
      email: "zoe@example.com",
      name: null,
      role: "viewer",
      password_hash: null,
      created_at: new Date(now),
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const source = (await api.call(createSource, "/api/v1/sources", { key, body: { name: "Shop" } })).body;
  // What becomes of deliveries is told elsewhere.
  await processDeliverer(api.context).stop(0);
  const target = { connectionId: connected.id, sourceIds: [source.id], profile: "customerio", enabled: true } as const;
  const destination = (await api.call(createDestination, "/api/v1/destinations", { key, body: target })).body;
  const event = { userId: "u1", event: "Paid", timestamp: "2026-03-08T02:30:00Z" };
  await door(requestOf("POST", "/v1/track", { key: source.writeKey, body: event }), {
    params: Promise.resolve({ door: "track" }),
  });
  await routeEvents(api.context, workspace, new Date());
  const ids = {
    connection: connected.id,
    account: (await api.call(accounts, "/api/v1/accounts", { key })).body.items[0]?.id ?? "",
    organization: connected.world.organizations.list()[0]?.id ?? "",
    run: (await api.call(runs, `${connection}/runs`, { key })).body.items[0]?.id ?? "",
    user,
    apiKey: "1",
    source: source.id,
    event: (await api.call(events, "/api/v1/events", { key })).body.items[0]?.id ?? "",
    destination: destination.id,
    delivery: (await api.call(deliveries, "/api/v1/deliveries", { key })).body.items[0]?.id ?? "",
  };
  const inZone = async (zone: string) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", path.join(import.meta.dirname, "answers-in-zone.ts")],
      {
        cwd: root,
        maxBuffer: 64 * 1024 * 1024,
        env: {
          ...process.env,
          ...testEnvironment,
          TZ: zone,
          DATABASE_URL: database.url,
          DATA_DIR: api.context.config.dataDir,
          ZENDESK_URL: ground.zendesk.url,
          SCHEDULER: "off",
          LOG_LEVEL: "silent",
          ANSWER_KEY: key,
          ANSWER_IDS: JSON.stringify(ids),
          ANSWER_NOW: now,
        },
      },
    );
    const [first = "", ...answers] = stdout.split("\n");
    return { ...(JSON.parse(first) as { zone: string; offset: number }), answers: answers.join("\n") };
  };
  const [utc, kiritimati, newfoundland] = [
    await inZone("UTC"),
    await inZone("Pacific/Kiritimati"),
    await inZone("America/St_Johns"),
  ];
  expect([utc, kiritimati, newfoundland].map(({ offset }) => offset)).toEqual([0, -840, 150]);
  expect(utc.answers).toMatch(/"ticketsCreated":5/);
  expect(utc.answers).not.toMatch(/^\w+\S* [45]\d\d$/m);
  expect(kiritimati.answers).toBe(utc.answers);
  expect(newfoundland.answers).toBe(utc.answers);
}, 120_000);

test("the same as-of day gives the same windows while a sync brings new tickets, and after it", async () => {
  const connected = await ground.connect("repeat");
  const { key, world } = connected;
  const keys = [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" as const }];
  await api.call(setMatchKeys, `${connected.path}/match-keys`, { key, body: { keys } });
  await api.call(bulk, "/api/v1/accounts/bulk", {
    key,
    body: { accounts: [{ externalId: "NW-1", name: "Northwind" }] },
  });
  await ground.settled(connected);
  await database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("stream_state").set({ page_size: 10 }).execute(),
  );
  const id = (await api.call(accounts, "/api/v1/accounts", { key })).body.items[0]?.id;
  const ask = async (asOf: string) =>
    (await api.call(accountMetrics, `/api/v1/accounts/${id}/metrics?asOf=${asOf}`, { key })).body;
  const asOf = "2026-02-08";
  const before = await ask(asOf);
  expect(before.windows.some(({ ticketsCreated }) => ticketsCreated > 0)).toBe(true);

  const [organization] = world.organizations.list();
  for (let n = 0; n < 40; n++) world.tickets.create({ subject: `New ${n}`, organizationId: organization?.id ?? null });
  world.advance(3_600_000);
  const during: (typeof before)[] = [];
  const watch = ground.zendesk.faults.before({ subdomain: "repeat", path: "/api/v2/incremental" }, async () => {
    during.push(await ask(asOf));
  });
  await api.call(sync, `${connected.path}/sync`, { key, body: { mode: "incremental" } });
  await ground.settled(connected);
  watch.remove();
  expect(during.length).toBeGreaterThan(5);
  for (const answer of [...during, await ask(asOf)]) {
    expect([answer.asOf, answer.windows]).toEqual([asOf, before.windows]);
  }
  const later = await ask(new Date(world.now()).toISOString().slice(0, 10));
  expect(later.windows[0]?.ticketsCreated).toBeGreaterThanOrEqual(40);
}, 60_000);
