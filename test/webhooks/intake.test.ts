import { createHmac, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openDatabase } from "#db/client.ts";
import { takeDelivery } from "#lib/webhooks/intake.ts";
import { sealSecret } from "#lib/webhooks/secrets.ts";
import { publishedTestSecret } from "#lib/webhooks/signature.ts";
import { saveWebhook } from "#lib/webhooks/store.ts";
import { useDatabase } from "#test/support/database.ts";
import { accountIdOf } from "#test/support/zendesk/wire/events.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { byIdRequests, type Linked, link, smallWorld } from "#test/webhooks/linked.ts";

const database = useDatabase();

const ticketEvent = (id: string, more: object = {}) =>
  JSON.stringify({ type: "zen:event-type:ticket.status_changed", detail: { id }, ...more });

async function linkedAndChecked(): Promise<Linked> {
  const linked = await link(database);
  await linked.check();
  return linked;
}

describe("what is let in", () => {
  test("a signed delivery is stored before it is answered, with what is to be fetched", async () => {
    const linked = await linkedAndChecked();
    expect(await linked.take(linked.signed(ticketEvent("1")))).toBe(200);
    expect(await linked.deliveries()).toBe(1);
    expect(await linked.hints()).toEqual([{ subject: "ticket", id: "1", hints: 1, attempts: 0 }]);
    expect((await linked.webhook()).last_delivery_at).toEqual(linked.clock());
  });

  test("thirty malformed signatures are 401, never 500, and nothing is stored (row 91)", async () => {
    const linked = await linkedAndChecked();
    const good = linked.signed(ticketEvent("1"));
    const signature = good.signature as string;
    const bytes = Buffer.from(signature, "base64");
    const malformed: (string | null)[] = [
      null,
      "",
      " ",
      "=",
      "é".repeat(44),
      "💥".repeat(11),
      "\u0000".repeat(44),
      "A".repeat(44),
      "A".repeat(43),
      "A".repeat(1_000_000),
      `${signature} `,
      ` ${signature}`,
      `${signature}=`,
      signature.slice(0, -1),
      signature.slice(0, 20),
      signature.repeat(2),
      signature.toLowerCase(),
      signature.toUpperCase(),
      `sha256=${signature}`,
      bytes.toString("hex"),
      bytes.toString("base64url").replace(/=+$/, ""),
      bytes.subarray(0, 31).toString("base64"),
      Buffer.concat([bytes, Buffer.of(0)]).toString("base64"),
      Buffer.from(bytes).reverse().toString("base64"),
      randomBytes(32).toString("base64"),
      Buffer.alloc(32).toString("base64"),
      createHmac("sha256", linked.remote().secret).update(good.body).digest("base64"),
      createHmac("sha1", linked.remote().secret).update(good.body).digest("base64"),
      createHmac("sha256", Buffer.from(linked.remote().secret, "base64"))
        .update(good.timestamp ?? "")
        .update(good.body)
        .digest("base64"),
      `${signature.slice(0, 10)}\n${signature.slice(10)}`,
    ];
    expect(malformed).toHaveLength(30);
    for (const wrong of malformed) expect(await linked.take({ ...good, signature: wrong })).toBe(401);
    expect(await linked.take({ ...good, timestamp: null })).toBe(401);
    expect(await linked.deliveries()).toBe(0);
    expect(await linked.take(good)).toBe(200);
  });

  test("the same JSON in another order, or with one byte more, is 401 (row 91)", async () => {
    const linked = await linkedAndChecked();
    const good = linked.signed('{"type":"zen:event-type:ticket.created","detail":{"id":"1"}}');
    const reordered = Buffer.from('{"detail":{"id":"1"},"type":"zen:event-type:ticket.created"}');
    expect(await linked.take({ ...good, body: reordered })).toBe(401);
    expect(await linked.take({ ...good, body: Buffer.concat([good.body, Buffer.from("\n")]) })).toBe(401);
  });

  test("text in other scripts, broken UTF-8 and an empty body are signed as the bytes they are (row 91)", async () => {
    const linked = await linkedAndChecked();
    expect(await linked.take(linked.signed(ticketEvent("1", { subject: "チケット 🚀 Ünïcödé" })))).toBe(200);
    const body = Buffer.concat([Buffer.from('{"type":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    const timestamp = linked.signed("").timestamp as string;
    const signature = createHmac("sha256", linked.remote().secret).update(timestamp).update(body).digest("base64");
    expect(await linked.take({ ...linked.signed(""), body, signature })).toBe(200);
    expect(await linked.take(linked.signed(""))).toBe(200);
    expect(await linked.deliveries()).toBe(3);
  });

  test("Zendesk's published test secret never verifies, even where it was entered (row 91)", async () => {
    const linked = await linkedAndChecked();
    const forged = () => linked.signed("{}", { id: linked.remote().id, secret: publishedTestSecret });
    expect(await linked.take(forged())).toBe(401);
    await saveWebhook(database.db, linked.scope, { secret: sealSecret(linked.ctx, publishedTestSecret) });
    expect(await linked.take(forged())).toBe(401);
  });

  test("a connection without a secret takes nothing, not even what the empty secret signs (row 91)", async () => {
    const linked = await linkedAndChecked();
    await saveWebhook(database.db, linked.scope, { secret: null });
    expect(await linked.take(linked.signed("{}"))).toBe(401);
    expect(await linked.take(linked.signed("{}", { id: linked.remote().id, secret: "" }))).toBe(401);
  });

  test("a signed timestamp may be 24 hours old and 5 minutes ahead, and no more (row 89)", async () => {
    const linked = await linkedAndChecked();
    const sent = [linked.signed('{"n":1}'), linked.signed('{"n":2}')] as const;
    linked.world.advance(24 * HOUR);
    expect(await linked.take(sent[0])).toBe(200);
    linked.world.advance(1000);
    expect(await linked.take(sent[1])).toBe(401);
    const ahead = [linked.signed('{"n":3}'), linked.signed('{"n":4}')] as const;
    linked.world.advance(-5 * MINUTE);
    expect(await linked.take(ahead[0])).toBe(200);
    linked.world.advance(-1000);
    expect(await linked.take(ahead[1])).toBe(401);
  });

  test("the age is judged after the signature: only what is wrongly signed, however old, lets the secret be checked (row 89)", async () => {
    const linked = await linkedAndChecked();
    const old = linked.signed("{}");
    linked.world.advance(2 * DAY);
    const inAnHour = new Date(linked.world.now() + HOUR);
    await saveWebhook(database.db, linked.scope, { next_check_at: inAnHour });
    expect(await linked.take(old)).toBe(401);
    expect((await linked.webhook()).next_check_at).toEqual(inAnHour);
    expect(await linked.take({ ...old, signature: randomBytes(32).toString("base64") })).toBe(401);
    expect((await linked.webhook()).next_check_at).toEqual(linked.clock());
  });

  test("a valid signature of A on B's address is 401, and so is A's secret with another account's number (row 94)", async () => {
    const a = await linkedAndChecked();
    const b = await link(database, smallWorld({ subdomain: "other" }));
    await b.check();
    const delivery = a.signed(ticketEvent("1"));
    expect(await b.take({ ...delivery, connectionId: String(b.connectionId) })).toBe(401);
    expect(await b.deliveries()).toBe(0);

    expect(await a.take(delivery)).toBe(200);
    expect(await a.take({ ...a.signed('{"n":2}'), accountId: accountIdOf(b.world) })).toBe(401);
    expect(await a.take({ ...a.signed('{"n":3}'), accountId: "not a number" })).toBe(401);
    expect(await a.webhook()).toMatchObject({ state: "failing", failure_code: "different_account" });
    expect(await a.take(a.signed('{"n":4}'))).toBe(200);
    // The header is not signed: without it the signature alone says whose it is.
    expect(await a.take({ ...a.signed('{"n":5}'), accountId: null })).toBe(200);
  });

  test("a connection that nobody has, and a disconnected one, are refused alike", async () => {
    const linked = await linkedAndChecked();
    for (const connectionId of ["999999", "0", "-1", "abc", "9".repeat(40), ""]) {
      expect(await linked.take({ ...linked.signed("{}"), connectionId })).toBe(401);
    }
    await linked.read((trx) => trx.updateTable("connection").set({ state: "disconnected" }).execute());
    expect(await linked.take(linked.signed("{}"))).toBe(401);
  });
});

describe("what is made of it", () => {
  test("replayed a thousand times under fresh ids it is answered 200 and asks Zendesk for nothing (row 90)", async () => {
    const linked = await linkedAndChecked();
    const delivery = linked.signed(ticketEvent("1"));
    expect(await linked.take(delivery)).toBe(200);
    await linked.drain();
    linked.zendesk.journal.clear();
    const statuses = new Set<number>();
    for (let n = 0; n < 1000; n += 50) {
      const replays = Array.from({ length: 50 }, () =>
        linked.take({ ...delivery, webhookId: randomBytes(8).toString("hex") }),
      );
      for (const status of await Promise.all(replays)) statuses.add(status);
    }
    expect([...statuses]).toEqual([200]);
    await linked.drain();
    expect(linked.zendesk.journal.entries).toEqual([]);
    expect(await linked.deliveries()).toBe(1);
  }, 120_000);

  test("fifty equal deliveries at once, and fifty about one ticket, are one row and at most two fetches (row 88)", async () => {
    const linked = await linkedAndChecked();
    const equal = linked.signed(ticketEvent("1"));
    const draining = linked.drain();
    await Promise.all(Array.from({ length: 50 }, () => linked.take(equal)));
    expect(await linked.deliveries()).toBe(1);
    await Promise.all(Array.from({ length: 50 }, (_, n) => linked.take(linked.signed(ticketEvent("1", { n })))));
    await draining;
    await linked.drain();
    expect(await linked.deliveries()).toBe(51);
    expect(byIdRequests(linked).length).toBeLessThanOrEqual(2);
    expect(await linked.hints()).toEqual([]);
  });

  test("unknown types and versions, and what is no JSON at all, are stored and ask for nothing", async () => {
    const linked = await linkedAndChecked();
    const bodies = [
      '{"type":"zen:event-type:article.published","detail":{"id":"1"}}',
      '{"type":"zen:event-type:ticket.sent_to_the_moon","zendesk_event_version":"2031-01-01","detail":{"id":"4"}}',
      '{"type":"zen:event-type:ticket.created","detail":{"id":"no number"}}',
      '{"type":"zen:event-type:ticket.created","detail":{"id":"99999999999999999999"}}',
      '{"type":5,"detail":[]}',
      "null",
      "[]",
      '{"type":"zen:event-type:ti',
      "<html>",
      `${"[".repeat(50_000)}`,
      '{"type":"a\\u0000b","detail":{}}',
    ];
    for (const body of bodies) expect(await linked.take(linked.signed(body)), body.slice(0, 80)).toBe(200);
    expect(await linked.deliveries()).toBe(bodies.length);
    // A type that nobody knows, about something that everybody knows.
    expect(await linked.hints()).toMatchObject([{ subject: "ticket", id: "4" }]);
  });

  test("reads the id from the detail, from the subject, or from our trigger's body", async () => {
    const linked = await linkedAndChecked();
    for (const body of [
      '{"type":"zen:event-type:user.created","detail":{"id":"9007199254740993"}}',
      '{"type":"zen:event-type:organization.created","subject":"zen:organization:7"}',
      '{"ticket_id":"3"}',
    ]) {
      await linked.take(linked.signed(body));
    }
    expect(await linked.hints()).toMatchObject([
      { subject: "organization", id: "7" },
      { subject: "ticket", id: "3" },
      { subject: "user", id: "9007199254740993" },
    ]);
  });

  test("with the queue full the answer is 503, nothing is stored, and Zendesk's repeat gets in later (row 92)", async () => {
    const linked = await linkedAndChecked();
    linked.limit.hints = 2;
    for (const id of ["1", "2"]) expect(await linked.take(linked.signed(ticketEvent(id)))).toBe(200);
    linked.world.tickets.update("3", { priority: "urgent" });
    expect(await linked.zendesk.webhooks.deliver()).toMatchObject([{ status: 503 }]);
    expect(await linked.deliveries()).toBe(2);
    await linked.drain();
    linked.world.advance(10_000);
    expect(await linked.zendesk.webhooks.deliver()).toMatchObject([{ status: 200 }]);
    expect(await linked.hints()).toMatchObject([{ subject: "ticket", id: "3" }]);
  });

  test("a burst of a thousand during a run is acknowledged whole, and each of them is stored (row 92)", async () => {
    const linked = await linkedAndChecked();
    const running = linked.sync({ mode: "reconcile" });
    const statuses: number[] = [];
    for (let n = 0; n < 1000; n += 100) {
      const burst = Array.from({ length: 100 }, (_, k) =>
        linked.signed(ticketEvent(String((n + k) % 700), { n: n + k })),
      );
      statuses.push(...(await Promise.all(burst.map((delivery) => linked.take(delivery)))));
    }
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(await linked.deliveries()).toBe(1000);
    expect((await running).connectionFailure).toBeUndefined();
  }, 120_000);

  test("a database that cannot write makes it 503, so that Zendesk sends it again (row 82)", async () => {
    const linked = await linkedAndChecked();
    const delivery = linked.signed(ticketEvent("1"));
    const url = new URL(database.url);
    url.searchParams.set("options", "-c timezone=UTC -c default_transaction_read_only=on");
    const { db } = openDatabase(url.href, { poolSize: 1 });
    try {
      const taken = takeDelivery({ ...linked.ctx, db }, delivery, linked.clock());
      await expect(taken).rejects.toMatchObject({ code: "unavailable" });
    } finally {
      await db.destroy();
    }
    expect(await linked.take(delivery)).toBe(200);
  });

  test("ten thousand junk posts change nothing and are all refused (row 119)", async () => {
    const linked = await linkedAndChecked();
    const statuses = new Set<number>();
    for (let n = 0; n < 10_000; n += 200) {
      const junk = Array.from({ length: 200 }, (_, k) =>
        linked.take({
          connectionId: k % 2 === 0 ? String(linked.connectionId) : String(1_000_000 + n + k),
          timestamp: new Date(linked.world.now()).toISOString(),
          signature: randomBytes(32).toString("base64"),
          accountId: "1",
          webhookId: "x",
          body: randomBytes(64),
        }),
      );
      for (const status of await Promise.all(junk)) statuses.add(status);
    }
    expect([...statuses]).toEqual([401]);
    expect(await linked.deliveries()).toBe(0);
  }, 120_000);
});
