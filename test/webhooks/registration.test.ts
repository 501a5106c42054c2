import { describe, expect, test } from "vitest";
import { inWorkspace } from "#db/client.ts";
import { loadConnection } from "#lib/connections/load.ts";
import { checkWebhooks } from "#lib/jobs/webhooks.ts";
import { useManualWebhook } from "#lib/webhooks/manage.ts";
import { recheckWebhook, removeWebhook, stopWebhook } from "#lib/webhooks/registration.ts";
import { openSecret } from "#lib/webhooks/secrets.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { type Linked, link, smallWorld } from "#test/webhooks/linked.ts";

const database = useDatabase();
const signingSecret = "a secret of a webhook made by hand";
async function connectionOf(linked: Linked) {
  const connection = await inWorkspace(database.db, linked.workspaceId, (trx) => loadConnection(trx, linked.scope));
  return connection as NonNullable<typeof connection>;
}

describe("registering the webhook", () => {
  test("subscribes to events of tickets, users and organizations at our own address, and keeps the secret sealed", async () => {
    const linked = await link(database);
    await linked.check();
    const remote = linked.remote();
    expect(remote.endpoint).toBe(`${linked.endpoint.origin}/api/webhooks/zendesk/${linked.connectionId}`);
    for (const type of ["ticket.status_changed", "user.created", "organization.name_changed"]) {
      expect(remote.subscriptions).toContain(`zen:event-type:${type}`);
    }
    const kept = await linked.webhook();
    expect(kept).toMatchObject({ state: "active", kind: "events", zendesk_id: remote.id, failure_code: null });
    expect(kept.secret).not.toContain(remote.secret);
    expect(openSecret(linked.ctx, kept.secret as string)).toBe(remote.secret);
  });

  test("makes none twice: not when asked again, and not when the answer to the first was lost", async () => {
    const linked = await link(database);
    linked.zendesk.faults.add({ method: "POST", path: "/api/v2/webhooks" }, fault.reset("headers"), { times: 1 });
    await linked.check();
    await linked.check();
    expect([...linked.world.webhooks.byId.values()]).toHaveLength(1);
    expect(await linked.webhook()).toMatchObject({ state: "active", zendesk_id: linked.remote().id });
  });

  test("falls back to a trigger where the account has no events of tickets", async () => {
    const linked = await link(database, smallWorld({ settings: { ticketEventWebhooks: false } }));
    await linked.check();
    await linked.check();
    expect(linked.remote().subscriptions).toEqual(["conditional_ticket_events"]);
    const [trigger, ...more] = [...linked.world.webhooks.triggers.values()];
    expect(more).toEqual([]);
    expect(trigger).toMatchObject({ webhookId: linked.remote().id, active: true });
    expect(await linked.webhook()).toMatchObject({ state: "active", kind: "trigger", trigger_id: trigger?.id });
    linked.world.tickets.solve([...linked.world.tickets.byId.keys()][0] as string);
    expect(await linked.zendesk.webhooks.deliver()).toMatchObject([{ status: 200 }]);
    expect(await linked.hints()).toMatchObject([{ subject: "ticket" }]);
  });

  test("writes nothing to Zendesk through a connection that may only read, and says what to do", async () => {
    const linked = await link(database, smallWorld(), { access: "read" });
    await linked.check();
    expect(linked.zendesk.journal.entries).toEqual([]);
    const { state, failure_action } = await linked.webhook();
    expect(state).toBe("refused");
    expect(failure_action).toMatch(/write access/);
  });

  test.each([
    [403, "refused"],
    [404, "refused"],
  ] as const)("an account that answers %i to webhooks is %s, in words, and no error", async (status, state) => {
    const linked = await link(database, smallWorld({ settings: { webhooksEndpoint: status } }));
    await linked.check();
    const kept = await linked.webhook();
    expect(kept.state).toBe(state);
    expect(kept.failure_message).toMatch(/webhooks/);
  });

  test("says that PUBLIC_URL is missing where Zendesk has no address to call", async () => {
    const linked = await link(database, smallWorld(), { publicUrl: false });
    const config = { ...linked.ctx.config, zendesk: { ...linked.ctx.config.zendesk, isDefaultUrl: true } };
    linked.ctx.config = config;
    await linked.check();
    const kept = await linked.webhook();
    expect(kept.state).toBe("unreachable");
    expect(kept.failure_action).toMatch(/PUBLIC_URL/);
  });
});

describe("the hourly check", () => {
  test("makes a deleted webhook anew, wakes a paused one, and corrects its address and subscriptions (row 93)", async () => {
    const linked = await link(database);
    await linked.check();
    linked.world.webhooks.delete(linked.remote().id);
    await linked.check();
    expect(linked.world.webhooks.byId.size).toBe(1);
    Object.assign(linked.remote(), {
      status: "inactive",
      endpoint: "https://elsewhere.example/",
      subscriptions: ["zen:event-type:ticket.created"],
    });
    await linked.check();
    expect(linked.remote().status).toBe("active");
    expect(linked.remote().endpoint).toContain(linked.endpoint.origin);
    expect(linked.remote().subscriptions).toContain("zen:event-type:ticket.status_changed");
    expect(linked.world.webhooks.byId.size).toBe(1);
  });

  test("is done once an hour for a connection, whoever looks how often, and sees what happened to it within the hour", async () => {
    const linked = await link(database);
    const look = () => checkWebhooks(linked.ctx, linked.clock);
    await Promise.all([look(), look(), look()]);
    expect(linked.zendesk.journal.to("/api/v2/webhooks").filter(({ method }) => method === "POST")).toHaveLength(1);
    linked.world.webhooks.delete(linked.remote().id);
    linked.world.advance(30 * MINUTE);
    linked.zendesk.journal.clear();
    await look();
    expect(linked.zendesk.journal.entries).toEqual([]);
    linked.world.advance(31 * MINUTE);
    await Promise.all([look(), look()]);
    expect(linked.world.webhooks.byId.size).toBe(1);
  });

  test("a secret changed in Zendesk is taken over; deliveries signed with either are taken for a day (row 93)", async () => {
    const linked = await link(database);
    await linked.check();
    const before = { ...linked.remote() };
    linked.world.webhooks.resetSecret(before.id);
    // Zendesk's own webhook with a signature that we do not know: the check comes early.
    linked.world.advance(10 * MINUTE);
    expect(await linked.take(linked.signed('{"n":1}'))).toBe(401);
    await checkWebhooks(linked.ctx, linked.clock);
    expect(await linked.take(linked.signed('{"n":2}'))).toBe(200);
    expect(await linked.take(linked.signed('{"n":3}', before))).toBe(200);
    linked.world.advance(DAY + HOUR);
    expect(await linked.take(linked.signed('{"n":4}', before))).toBe(401);
    expect(await linked.take(linked.signed('{"n":5}'))).toBe(200);
  });

  test("renews the secret after thirty days and when a person asks, without a gap", async () => {
    const linked = await link(database);
    await linked.check();
    const first = linked.remote().secret;
    await linked.check();
    expect(linked.remote().secret).toBe(first);
    await linked.check({ rotate: true });
    const second = { ...linked.remote() };
    expect(second.secret).not.toBe(first);
    linked.world.advance(30 * DAY + HOUR);
    await linked.check();
    expect(linked.remote().secret).not.toBe(second.secret);
    expect(await linked.take(linked.signed('{"n":1}'))).toBe(200);
    expect(await linked.take(linked.signed('{"n":2}', second))).toBe(200);
  });

  test("a Zendesk that does not answer leaves the webhook failing in words, and deliveries are taken still", async () => {
    const linked = await link(database);
    await linked.check();
    const down = linked.zendesk.faults.add({ path: "/api/v2/webhooks" }, fault.status(503));
    await linked.check();
    expect(await linked.webhook()).toMatchObject({ state: "failing", failure_code: "unavailable" });
    expect(await linked.take(linked.signed("{}"))).toBe(200);
    down.remove();
    await linked.check();
    expect(await linked.webhook()).toMatchObject({ state: "active", failure_code: null });
  });
});

describe("ending it", () => {
  test("a disconnection removes webhook and trigger in Zendesk, and forgets the secret", async () => {
    const linked = await link(database, smallWorld({ settings: { ticketEventWebhooks: false } }));
    await linked.check();
    const delivery = linked.signed("{}");
    await removeWebhook(linked.ctx, linked.scope, await connectionOf(linked));
    expect(linked.world.webhooks.byId.size + linked.world.webhooks.triggers.size).toBe(0);
    expect(await linked.webhook()).toBeUndefined();
    expect(await linked.take(delivery)).toBe(401);
  });

  test.each([
    [
      "disconnects",
      (linked: Linked) => linked.read((trx) => trx.updateTable("connection").set({ state: "disconnected" }).execute()),
    ],
    ["stops the webhook", async (linked: Linked) => stopWebhook(linked.ctx, linked.scope, await connectionOf(linked))],
    [
      "enters the secret of another",
      async (linked: Linked) => useManualWebhook(linked.ctx, linked.scope, { signingSecret }, linked.clock()),
    ],
  ])("a check that is under way when a person %s brings nothing back", async (_what, end) => {
    const linked = await link(database);
    linked.zendesk.faults.after({ path: /signing_secret$/, nth: 1 }, async () => void (await end(linked)));
    await linked.check();
    expect(linked.world.webhooks.byId.size).toBe(0);
    expect((await linked.webhook())?.kind ?? "none").toMatch(/none|manual/);
  });

  test("the secret of a webhook that a person made removes ours in Zendesk, and what it has sent is taken still", async () => {
    const linked = await link(database);
    await linked.check();
    const delivery = linked.signed("{}");
    await useManualWebhook(linked.ctx, linked.scope, { signingSecret }, linked.clock());
    expect(linked.world.webhooks.byId.size).toBe(0);
    expect(await linked.take(delivery)).toBe(200);
    expect(await linked.take(linked.signed("{ }", { id: "made by hand", secret: signingSecret }))).toBe(200);
  });

  test("after another login the check is due at once, unless a person stopped the webhook", async () => {
    const linked = await link(database);
    linked.zendesk.faults.add({ method: "POST", path: "/api/v2/webhooks" }, fault.status(403), { times: 1 });
    await linked.check();
    expect((await linked.webhook()).state).toBe("refused");
    await recheckWebhook(database.db, linked.scope, linked.clock());
    await checkWebhooks(linked.ctx, linked.clock);
    expect((await linked.webhook()).state).toBe("active");
    await stopWebhook(linked.ctx, linked.scope, await connectionOf(linked));
    await recheckWebhook(database.db, linked.scope, linked.clock());
    await checkWebhooks(linked.ctx, linked.clock);
    expect((await linked.webhook()).state).toBe("none");
  });

  test("one that a person stopped is not brought back by the hourly check", async () => {
    const linked = await link(database);
    await linked.check();
    await stopWebhook(linked.ctx, linked.scope, await connectionOf(linked));
    linked.world.advance(2 * HOUR);
    await checkWebhooks(linked.ctx, linked.clock);
    expect(linked.world.webhooks.byId.size).toBe(0);
    expect((await linked.webhook()).state).toBe("none");
  });
});
