import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { POST as bulk } from "#app/api/v1/accounts/bulk/route.ts";
import { GET as changes } from "#app/api/v1/changes/route.ts";
import { POST as check } from "#app/api/v1/connections/[id]/webhook/check/route.ts";
import { POST as rotate } from "#app/api/v1/connections/[id]/webhook/rotate/route.ts";
import { PUT as enter, DELETE as remove, GET as show } from "#app/api/v1/connections/[id]/webhook/route.ts";
import { PATCH as patchWorkspace } from "#app/api/v1/workspace/route.ts";
import { POST as receive } from "#app/api/webhooks/zendesk/[connectionId]/route.ts";
import { processDrainer } from "#lib/webhooks/drainer.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { startEndpoint } from "#test/support/endpoint.ts";
import { signatureOf, signedHeaders } from "#test/support/zendesk/server/deliveries.ts";
import { accountIdOf } from "#test/support/zendesk/wire/events.ts";
import { MINUTE } from "#test/support/zendesk/world/clock.ts";
import type { Webhook } from "#test/support/zendesk/world/webhooks.ts";

const endpoint = await startEndpoint(async (request) => {
  const connectionId = new URL(request.url).pathname.split("/").at(-1);
  return receive(request, { params: Promise.resolve({ connectionId }) });
});
const ground = useGround({ PUBLIC_URL: endpoint.origin });
const { api } = ground;

/** At the present instant, since the route judges deliveries by this machine's clock; read once. */
async function connected(subdomain: string, access = "read_write") {
  const connection = await ground.connect(subdomain, {
    before: (world) => void world.advanceTo(new Date()),
    body: { access },
  });
  await ground.settled(connection);
  return connection;
}

const registered = (connection: Connected) =>
  eventually(async () => {
    const webhook = (await api.call(show, `${connection.path}/webhook`, connection)).body;
    return webhook.state === "none" ? null : webhook;
  }, "the webhook to be registered");
const remote = ({ world }: Connected) => [...world.webhooks.byId.values()][0] as Webhook;

async function post(connection: Connected, body: string, headers: Record<string, string> = {}) {
  const signed = signedHeaders(connection.world, remote(connection), { id: "1", body });
  return fetch(`${endpoint.origin}/api/webhooks/zendesk/${connection.id}`, {
    method: "POST",
    body,
    headers: { ...signed, ...headers },
  });
}

/** In pieces, so that nothing says beforehand how large it is. */
function postWithoutLength(connection: Connected, body: string, headers: Record<string, string>) {
  const init: RequestInit & { duplex: "half" } = {
    method: "POST",
    body: new Blob([body]).stream(),
    headers: { ...signedHeaders(connection.world, remote(connection), { id: "1", body }), ...headers },
    duplex: "half",
  };
  return fetch(`${endpoint.origin}/api/webhooks/zendesk/${connection.id}`, init);
}

describe("from Zendesk's change to the number", () => {
  test("a new connection registers by itself; a change is stored, counted and told to open screens without a run", async () => {
    const connection = await connected("acme-live");
    expect(await registered(connection)).toMatchObject({ state: "active", kind: "events", waiting: 0, failure: null });
    const version = async () => (await api.call(changes, "/api/v1/changes", connection)).body.version;
    const before = await version();
    expect(await version()).toBe(before);
    connection.world.tickets.update("1", { priority: "low" });
    expect((await ground.zendesk.webhooks.deliver()).map(({ status }) => status)).toEqual([200]);
    await eventually(async () => ((await version()) === before ? null : true), "another version");
    const stored = await ground.database.inWorkspace(connection.workspace, (trx) =>
      trx.selectFrom("ticket").select("priority").where("id", "=", "1").executeTakeFirst(),
    );
    expect(stored).toEqual({ priority: "low" });
  });

  test("unknown, wrong and stale are the same answer, word for word (row 119)", async () => {
    const connection = await connected("acme-401");
    await registered(connection);
    const answers = [
      await post({ ...connection, id: "123456" }, "{}"),
      await post({ ...connection, id: "nonsense" }, "{}"),
      await post(connection, "{}", { "x-zendesk-webhook-signature": "AAAA" }),
      await post(connection, "{}", { "x-zendesk-webhook-signature-timestamp": "2020-01-01T00:00:00Z" }),
      await staleOne(connection),
    ];
    const seen = await Promise.all(answers.map(async (answer) => [answer.status, await answer.text()]));
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(seen[0]?.[0]).toBe(401);
    expect((await post(connection, "{}")).status).toBe(200);
  });

  test("a body over the cap is refused before anything is reckoned over it, whoever signed it and wherever it is sent (row 119)", async () => {
    const connection = await connected("acme-cap");
    await registered(connection);
    const large = `"${"x".repeat(300 * 1024)}"`;
    const wrong = { "x-zendesk-webhook-signature": randomBytes(32).toString("base64") };
    expect((await post(connection, "{}", wrong)).status).toBe(401);
    expect((await post(connection, large, wrong)).status).toBe(413);
    expect((await post({ ...connection, id: "123456" }, large)).status).toBe(413);
    expect((await postWithoutLength(connection, large, wrong)).status).toBe(413);
    expect((await post(connection, large)).status).toBe(413);
    expect((await post(connection, `"${"x".repeat(200 * 1024)}"`)).status).toBe(200);
  });

  test("while Zendesk answers nothing deliveries are answered all the same: what they named waits (row 92)", async () => {
    const connection = await connected("acme-silent");
    await registered(connection);
    let [speak, hear] = [() => {}, () => {}];
    const silence = new Promise<void>((resolve) => {
      speak = resolve;
    });
    const isAsked = new Promise<void>((resolve) => {
      hear = resolve;
    });
    ground.zendesk.faults.before({ subdomain: "acme-silent", path: "/api/v2/tickets" }, () => {
      hear();
      return silence;
    });
    const told = async (...ids: string[]) => {
      for (const id of ids) connection.world.tickets.update(id, { subject: "Told in silence" });
      return (await ground.zendesk.webhooks.deliver()).map(({ status }) => status);
    };
    try {
      expect(await told("1")).toEqual([200]);
      await isAsked;
      expect(await told("2", "3", "4", "5")).toEqual([200, 200, 200, 200]);
      const { waiting } = (await api.call(show, `${connection.path}/webhook`, connection)).body;
      expect(waiting).toBe(5);
    } finally {
      speak();
    }
    const subjects = () =>
      ground.database.inWorkspace(connection.workspace, (trx) =>
        trx.selectFrom("ticket").select("id").where("subject", "=", "Told in silence").execute(),
      );
    await eventually(async () => ((await subjects()).length === 5 ? true : null), "all of them to be stored");
  });

  test("four hundred deliveries over HTTP are all acknowledged, and what they named is fetched (row 92)", async () => {
    const connection = await connected("acme-burst");
    await registered(connection);
    for (let round = 0; round < 40; round++) {
      for (let id = 1; id <= 10; id++) connection.world.tickets.update(String(id), { subject: `Round ${round}` });
    }
    ground.zendesk.webhooks.timeout = 60_000;
    const delivered = await ground.zendesk.webhooks.deliver();
    expect(delivered).toHaveLength(400);
    expect(delivered.filter(({ status }) => status !== 200)).toEqual([]);
    const waiting = async () => (await api.call(show, `${connection.path}/webhook`, connection)).body.waiting;
    await eventually(async () => ((await waiting()) === 0 ? true : null), "all of them to be fetched");
    const subjects = await ground.database.inWorkspace(connection.workspace, (trx) =>
      trx.selectFrom("ticket").select("subject").distinct().execute(),
    );
    expect(subjects).toEqual([{ subject: "Round 39" }]);
    expect(ground.zendesk.journal.to("/api/v2/tickets/show_many", "acme-burst").length).toBeLessThan(100);
  }, 120_000);
});

/** Rightly signed, two days ago. */
function staleOne(connection: Connected) {
  const timestamp = new Date(Date.now() - 2 * 86_400_000).toISOString();
  const signature = signatureOf(remote(connection).secret, timestamp, "{}");
  return post(connection, "{}", {
    "x-zendesk-webhook-signature": signature,
    "x-zendesk-webhook-signature-timestamp": timestamp,
    "x-zendesk-account-id": accountIdOf(connection.world),
  });
}

describe("an administrator", () => {
  test("checks, rotates and stops the webhook; the secret is in no answer and no line of the log", async () => {
    const connection = await connected("acme-admin");
    await registered(connection);
    const first = remote(connection).secret;
    const checked = await api.call(check, `${connection.path}/webhook/check`, connection);
    expect(checked.body).toMatchObject({ state: "active", endpoint: remote(connection).endpoint });
    const rotated = await api.call(rotate, `${connection.path}/webhook/rotate`, connection);
    expect(remote(connection).secret).not.toBe(first);
    expect((await post(connection, "{}")).status).toBe(200);
    expect((await api.call(remove, `${connection.path}/webhook`, connection)).status).toBe(204);
    expect(connection.world.webhooks.byId.size).toBe(0);
    expect((await api.call(show, `${connection.path}/webhook`, connection)).body).toMatchObject({
      state: "none",
      kind: null,
    });
    expect(`${checked.text}${rotated.text}${api.logged.join("")}`).not.toContain(first);
  });

  test("enters the secret of a webhook made by hand, for a connection that may only read", async () => {
    const connection = await connected("acme-hand", "read");
    const refused = await registered(connection);
    expect(refused).toMatchObject({ state: "refused", kind: null });
    const { endpoint: address } = refused;
    const made = connection.world.webhooks.create({
      name: "By hand",
      endpoint: address as string,
      subscriptions: ["zen:event-type:ticket.priority_changed"],
    });
    const body = { signingSecret: made.secret };
    expect((await api.call(enter, `${connection.path}/webhook`, { ...connection, body })).body).toMatchObject({
      state: "active",
      kind: "manual",
    });
    connection.world.tickets.update("2", { priority: "low" });
    expect(await ground.zendesk.webhooks.deliver()).toMatchObject([{ status: 200 }]);
    const published = { signingSecret: "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==" };
    const answer = await api.call(enter, `${connection.path}/webhook`, { ...connection, body: published });
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain(made.secret);
  });

  test("is the only one who may change it, and another workspace does not see it", async () => {
    const connection = await connected("acme-roles");
    const csm = { key: await api.key(connection.workspace, "csm") };
    expect((await api.call(check, `${connection.path}/webhook/check`, csm)).status).toBe(403);
    expect((await api.call(show, `${connection.path}/webhook`, csm)).status).toBe(200);
    const stranger = { key: await api.key(await ground.database.workspace()) };
    expect((await api.call(show, `${connection.path}/webhook`, stranger)).status).toBe(404);
    expect((await api.call(rotate, `${connection.path}/webhook/rotate`, stranger)).status).toBe(404);
  });
});

test("the version of what screens show changes with a run, the settings and an import, and with nothing else", async () => {
  const connection = await connected("acme-version");
  await ground.idle(connection);
  const version = async () => (await api.call(changes, "/api/v1/changes", connection)).body.version;
  const seen = [await version()];
  expect(await version()).toBe(seen[0]);
  await api.call(patchWorkspace, "/api/v1/workspace", { ...connection, body: { windows: [7, 30] } });
  seen.push(await version());
  const accounts = [{ externalId: "A", name: "Acme" }];
  await api.call(bulk, "/api/v1/accounts/bulk", { ...connection, body: { accounts } });
  seen.push(await version());
  await api.call(bulk, "/api/v1/accounts/bulk", { ...connection, body: { accounts } });
  expect(await version()).toBe(seen[2]);
  connection.world.advance(10 * MINUTE);
  expect(new Set(seen).size).toBe(3);
  const other = { key: await api.key(await ground.database.workspace()) };
  expect((await api.call(changes, "/api/v1/changes", other)).body.version).not.toBe(seen[2]);
  await processDrainer(api.context).stop();
  await endpoint.close();
});
