import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { GET as accountMetrics } from "#app/api/v1/accounts/[id]/metrics/route.ts";
import { GET as accountTickets } from "#app/api/v1/accounts/[id]/tickets/route.ts";
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
import { byClient, useGround } from "#test/connections/ground.ts";
import { requestOf, testEnvironment } from "#test/support/api.ts";
import { addressOf, administer, dropDatabase, newName } from "#test/support/template-database.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const ground = useGround();
const { api, database } = ground;
const root = path.resolve(import.meta.dirname, "../..");

/** A night on which clocks change, seen shortly after it. */
const now = "2026-03-09T03:30:00Z";

function nightOfTheClocks(world: World): void {
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
}

/** What a script of this folder prints in a process of each of three zones: first its zone, then what is to be compared. */
function inZones(script: string, environmentOf: (zone: string) => Promise<Record<string, string>>) {
  return Promise.all(
    ["UTC", "Pacific/Kiritimati", "America/St_Johns"].map(async (zone) => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--import", "tsx", path.join(import.meta.dirname, script)],
        {
          cwd: root,
          maxBuffer: 64 * 1024 * 1024,
          env: {
            ...process.env,
            ...testEnvironment,
            TZ: zone,
            DATA_DIR: api.context.config.dataDir,
            ZENDESK_URL: ground.zendesk.url,
            SCHEDULER: "off",
            LOG_LEVEL: "silent",
            ...(await environmentOf(zone)),
          },
        },
      );
      const [first = "", ...printed] = stdout.split("\n");
      return { zone: JSON.parse(first) as Record<string, unknown>, printed: printed.join("\n") };
    }),
  );
}
const offsets = [0, -840, 150];

test("every answer is the same to the byte, whatever zone the process runs in", async () => {
  const connected = await ground.connect("zones", {
    body: { access: "read_write" },
    before: nightOfTheClocks,
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
  const [utc, kiritimati, newfoundland] = await inZones("answers-in-zone.ts", async () => ({
    DATABASE_URL: database.url,
    ANSWER_KEY: key,
    ANSWER_IDS: JSON.stringify(ids),
    ANSWER_NOW: now,
  }));
  expect([utc, kiritimati, newfoundland].map((each) => each?.zone.offset)).toEqual(offsets);
  expect(utc?.printed).toMatch(/"ticketsCreated":5/);
  expect(utc?.printed).not.toMatch(/^\w+\S* [45]\d\d$/m);
  expect(kiritimati?.printed).toBe(utc?.printed);
  expect(newfoundland?.printed).toBe(utc?.printed);
}, 120_000);

test("what is read, stored, compared at night and counted again is the same to the byte, whatever zone the process runs in", async () => {
  const world = ground.account("imported");
  nightOfTheClocks(world);
  const { TEST_DATABASE_URL: server = "", TEST_DATABASE_TEMPLATE: template } = process.env;
  const made: string[] = [];
  onTestFinished(async () => {
    for (const name of made) await dropDatabase(server, name);
  });
  const zones = await inZones("import-in-zone.ts", async () => {
    const name = newName("zone");
    await administer(server, `create database ${name} template ${template}`);
    made.push(name);
    return {
      DATABASE_URL: addressOf(server, name),
      IMPORT_SUBDOMAIN: world.subdomain,
      IMPORT_AUTH: JSON.stringify(byClient(world)),
      IMPORT_NOW: now,
    };
  });
  expect(zones.map(({ zone }) => zone.offset)).toEqual(offsets);
  for (const { zone } of zones) expect(zone).toMatchObject({ ends: ["succeeded", "succeeded"], differing: 0 });
  const [utc, kiritimati, newfoundland] = zones;
  expect(utc?.printed).toMatch(/^ticket 15$/m);
  expect(utc?.printed).toMatch(/^satisfaction_rating 5$/m);
  expect(utc?.printed).toMatch(/"ticketsCreated":5/);
  expect(kiritimati?.printed).toBe(utc?.printed);
  expect(newfoundland?.printed).toBe(utc?.printed);
}, 120_000);

test("the same as-of day gives the same windows while a sync brings new tickets and solves old ones, and after it", async () => {
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
  for (const { id } of truth(world).tickets.slice(0, 8)) world.tickets.solve(id);
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
  expect([before.ticketsUnsolved, later.ticketsUnsolved]).toEqual([10, 42]);
}, 60_000);

test("an as-of day counts the tickets of its windows as they are now: another priority, a deletion and a move count from then on, in every window", async () => {
  const connected = await ground.connect("late");
  const { key, world } = connected;
  const elsewhere = world.organizations.create({ name: "Contoso", externalId: "C-1" }).id;
  const keys = [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" as const }];
  await api.call(setMatchKeys, `${connected.path}/match-keys`, { key, body: { keys } });
  const both = [
    { externalId: "NW-1", name: "Northwind" },
    { externalId: "C-1", name: "Contoso" },
  ];
  await api.call(bulk, "/api/v1/accounts/bulk", { key, body: { accounts: both } });
  await api.call(changeWorkspace, "/api/v1/workspace", { key, body: { windows: [7] } });
  await ground.settled(connected);
  const { items } = (await api.call(accounts, "/api/v1/accounts?sort=name", { key })).body;
  const asOf = "2026-02-08";
  /** Created and, of these, of top priority: in the seven days until then and in those before, and what is listed behind them. */
  const numbers = (name: string) => {
    const id = items.find((account) => account.name === name)?.id;
    const query = `windowDays=7&asOf=${asOf}`;
    const listed = async (metric: string) =>
      (await api.call(accountTickets, `/api/v1/accounts/${id}/tickets?metric=${metric}&${query}`, { key })).body.items
        .length;
    return Promise.all([
      api
        .call(accountMetrics, `/api/v1/accounts/${id}/metrics?asOf=${asOf}`, { key })
        .then(({ body }) =>
          body.windows.flatMap(({ ticketsCreated, topCreated, previous }) => [
            ticketsCreated,
            topCreated,
            previous.ticketsCreated,
            previous.topCreated,
          ]),
        ),
      Promise.all([listed("ticketsCreated"), listed("topCreated")]),
    ]);
  };
  // One ticket was created on each of the first ten days of February.
  expect(await numbers("Northwind")).toEqual([
    [7, 7, 1, 1],
    [7, 7],
  ]);
  expect(await numbers("Contoso")).toEqual([
    [0, 0, 0, 0],
    [0, 0],
  ]);

  const [before, second, third, fourth, fifth] = truth(world).tickets.map(({ id }) => id);
  const changes: [change: () => void, northwind: number[], contoso: number[]][] = [
    [() => world.tickets.update(String(second), { priority: "low" }), [7, 6, 1, 1], [0, 0, 0, 0]],
    [() => world.tickets.update(String(third), { status: "pending" }), [7, 6, 1, 1], [0, 0, 0, 0]],
    [() => world.tickets.update(String(fourth), { organizationId: elsewhere }), [6, 5, 1, 1], [1, 1, 0, 0]],
    [() => world.tickets.delete(String(fifth)), [5, 4, 1, 1], [1, 1, 0, 0]],
    [() => world.tickets.update(String(before), { organizationId: elsewhere }), [5, 4, 0, 0], [1, 1, 1, 1]],
    [() => world.tickets.restore(String(fifth)), [6, 5, 0, 0], [1, 1, 1, 1]],
  ];
  for (const [change, northwind, contoso] of changes) {
    change();
    world.advance(3_600_000);
    await api.call(sync, `${connected.path}/sync`, { key, body: { mode: "incremental" } });
    await ground.settled(connected);
    for (const [name, expected] of [["Northwind", northwind] as const, ["Contoso", contoso] as const])
      for (const asked of ["once", "again"])
        expect(await numbers(name), `${change} ${name} ${asked}`).toEqual([expected, expected.slice(0, 2)]);
  }
}, 60_000);
