import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { inWorkspace } from "#db/client.ts";
import { readExchanges } from "#lib/destinations/store/exchanges.ts";
import { type Ground, makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { deliveriesOf } from "#test/destinations/chaos/once.ts";
import { journalOf } from "#test/destinations/journal.ts";
import { useDatabase } from "#test/support/database.ts";
import { startZendesk } from "#test/support/zendesk/start.ts";
import { liveClock } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const database = useDatabase();

/** A process of the installation whose data are in a folder: each knows what a dead one of the same has left. */
async function startDeliverer({ ctx }: Ground, dataDir: string): Promise<ChildProcess> {
  const { auth, encryption, cron } = ctx.config.secrets;
  const deliverer = fork(path.resolve(import.meta.dirname, "../support/deliverer-process.ts"), {
    execArgv: ["--import", "tsx"],
    env: {
      ...process.env,
      ...{
        AUTH_SECRET: auth,
        ENCRYPTION_KEY: encryption,
        CRON_SECRET: cron,
        ZENDESK_URL: ctx.config.zendesk.urlTemplate,
      },
      ...{ DATABASE_URL: database.url, DATA_DIR: dataDir, LOG_LEVEL: "error" },
    },
  });
  onTestFinished(() => void deliverer.kill("SIGKILL"));
  await once(deliverer, "message");
  return deliverer;
}

const email = "ann@giants.example";
const ann = { userId: "ann" };
const events = [
  { type: "identify", ...ann, traits: { email, name: "Ann" } },
  { type: "group", ...ann, groupId: "giants", traits: { name: "SF Giants" }, context: { traits: { email } } },
  { type: "track", event: "Ticket Created", ...ann, properties: { subject: "Help", comment: "It broke" } },
  { type: "track", event: "Ticket Updated", ...ann, properties: { external_id: "m-2", comment: "Still broken" } },
  { type: "track", event: "Article Read", ...ann, properties: { title: "How to" } },
] as const;

/** The writes that these events mean, in their order. */
const writes = [
  ["POST", /^\/api\/v2\/users$/],
  ["POST", /^\/api\/v2\/organizations$/],
  ["POST", /^\/api\/v2\/organization_memberships$/],
  ["POST", /^\/api\/v2\/tickets$/],
  ["PUT", /^\/api\/v2\/tickets\/\d+$/],
  ["POST", /^\/api\/v2\/users\/\d+\/events$/],
] as const;

test("a process that is killed -9 after each kind of write, before its answer, leaves it to the next one, which looks first: every effect is there once (row 96)", async () => {
  const world = new World({ clock: liveClock(), settings: { eventLag: 0 } });
  const zendesk = await startZendesk({ worlds: [world] });
  onTestFinished(() => zendesk.close());
  const dataDir = mkdtempSync(path.join(tmpdir(), "killed-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const ground = await makeGround(database.db, zendesk, world, "customerio");
  const { workspaceId } = ground.scope;
  const sent = events.map((payload, index) => ({
    messageId: `m-${index}`,
    type: payload.type,
    payload: { ...payload },
  }));
  await receive(ground, sent, new Date());
  const exchangesOf = (id: string) =>
    inWorkspace(database.db, workspaceId, (trx) => readExchanges(trx, workspaceId, id));

  for (const [method, where] of writes) {
    const deliverer = await startDeliverer(ground, dataDir);
    const isDead = once(deliverer, "exit");
    const rule = zendesk.faults.after({ method, path: where }, async () => {
      deliverer.kill("SIGKILL");
      await isDead;
    });
    expect(await isDead).toEqual([null, "SIGKILL"]);
    rule.remove();
    const [left, ...others] = (await deliveriesOf(ground)).filter(({ claimed_by }) => claimed_by !== null);
    const open = (await exchangesOf(left?.id ?? "")).at(-1);
    expect(others).toEqual([]);
    expect(open).toMatchObject({ isWrite: true, outcome: "open", method, path: expect.stringMatching(where) });
  }
  await startDeliverer(ground, dataDir);
  const states = async () => (await deliveriesOf(ground)).map(({ state }) => state);
  await expect.poll(states, { timeout: 30_000 }).toEqual(events.map(() => "done"));

  const deliveries = await deliveriesOf(ground);
  expect(deliveries.map(({ action, attempts }) => [action, attempts])).toEqual([
    ["upsert_user", 2],
    ["upsert_organization", 3],
    ["create_ticket", 2],
    ["update_ticket", 2],
    ["track_event", 2],
  ]);
  for (const { id, attempts } of deliveries) {
    const exchanges = await exchangesOf(id);
    for (let attempt = 2; attempt <= attempts; attempt++) {
      const [before, after] = [attempt - 1, attempt].map((n) => exchanges.filter((one) => one.attempt === n));
      expect(before?.at(-1)).toMatchObject({ isWrite: true, outcome: "unknown" });
      expect(after?.[0]).toMatchObject({ isWrite: false });
    }
  }
  const written = zendesk.journal.entries.filter(({ method, path }) => method !== "GET" && path.startsWith("/api/"));
  expect(written.map(({ method, path }) => `${method} ${path}`)).toEqual(
    writes.map(([method, where]) => expect.stringMatching(new RegExp(`^${method} ${where.source.slice(1)}`))),
  );
  expect(journalOf(world, zendesk.effects.entries)).toMatchObject({
    ann: [
      ["user.created", { name: "Ann", email, external_id: "ann" }],
      ["membership.created", { organization_id: "SF Giants" }],
      ["profile.created", {}],
      ["customer_event.received", { type: "Article Read", properties: { title: "How to", messageId: "m-4" } }],
    ],
    "SF Giants": [["organization.created", { name: "SF Giants", external_id: "giants" }]],
    "m-2": [
      ["ticket.created", { subject: "Help", comment: { body: "It broke", public: false } }],
      ["ticket.updated", { comment: { body: "Still broken", public: false } }],
    ],
  });
}, 240_000);
