import type { BinaryLike, Hmac } from "node:crypto";
import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openDatabase } from "#db/client.ts";
import { type Delivery, takeDelivery } from "#lib/webhooks/intake.ts";
import { saveWebhook } from "#lib/webhooks/store.ts";
import { useDatabase } from "#test/support/database.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { type Linked, link } from "#test/webhooks/linked.ts";

/*
 * What is done about a delivery before it is answered, step by step: statements to the database, secrets opened, bytes signed,
 * signatures compared. What takes long or tells somebody apart is in it; a clock would tell of the machine as well.
 */

const { steps } = vi.hoisted(() => ({ steps: [] as string[] }));

vi.mock("node:crypto", async (load) => {
  const real = await load<typeof import("node:crypto")>();
  return {
    ...real,
    createDecipheriv: (...given: Parameters<typeof real.createDecipheriv>) => {
      steps.push("opens a secret");
      return real.createDecipheriv(...given);
    },
    createHmac: (...given: Parameters<typeof real.createHmac>) => {
      const hmac = real.createHmac(...given);
      const update = hmac.update.bind(hmac) as (bytes: BinaryLike) => Hmac;
      hmac.update = (bytes: BinaryLike) => {
        steps.push(`signs ${Buffer.byteLength(bytes as string | Buffer)} bytes`);
        return update(bytes);
      };
      return hmac;
    },
    timingSafeEqual: (...given: Parameters<typeof real.timingSafeEqual>) => {
      steps.push("compares");
      return real.timingSafeEqual(...given);
    },
  };
});

const database = useDatabase();
let open: ReturnType<typeof openDatabase>;
beforeEach(async () => {
  open = openDatabase(database.url, { poolSize: 1 });
  open.pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = (...given: unknown[]) => {
      steps.push(wordsOf(String(given[0])));
      return query(...given) as never;
    };
  });
  await open.db.selectFrom("workspace").select("id").execute();
});
afterEach(() => open.db.destroy());

/** What a statement does, and to which tables, without its columns. */
function wordsOf(statement: string): string {
  const tables = [...statement.matchAll(/\b(from|insert into|update) "?(webhook\w*|connection)\b/g)];
  return tables.length === 0 ? statement : tables.map(([, verb, table]) => `${verb} ${table}`).join(", ");
}

async function linkedAndChecked(): Promise<Linked> {
  const linked = await link(database);
  await linked.check();
  linked.zendesk.journal.clear();
  return linked;
}

/** The code that it is refused with, null where it is taken; and what was done until then. */
async function stepsOf(linked: Linked, delivery: Delivery, limit = 50_000) {
  steps.length = 0;
  const taken = takeDelivery({ ...linked.ctx, db: open.db }, delivery, linked.clock(), { limit });
  const code = await taken.then(
    () => null,
    (error: { code: string }) => error.code,
  );
  return { code, steps: [...steps] };
}

const event = (id: string) => JSON.stringify({ type: "zen:event-type:ticket.status_changed", detail: { id } });
const otherSignature = () => randomBytes(32).toString("base64");

/** Two, however many secrets there are; of the header and of the whole body. */
function judged(delivery: Delivery): string[] {
  const once = [`signs ${delivery.timestamp?.length} bytes`, `signs ${delivery.body.length} bytes`, "compares"];
  return [...once, ...once];
}
const lookUp = ["from webhook", "opens a secret"];
const storing = [
  "begin",
  "select set_config('app.workspace', $1, true)",
  "from webhook_hint, from connection, insert into webhook_delivery, insert into webhook_hint, update connection, update webhook",
  "commit",
];

test("a delivery is stored by one statement and answered: whether it is new, known, or too much waits, nothing else is done and Zendesk is asked for nothing (row 92)", async () => {
  const linked = await linkedAndChecked();
  for (const id of ["1", "2", "3"]) {
    const delivery = linked.signed(event(id));
    const whole = { code: null, steps: [...lookUp, ...judged(delivery), ...storing] };
    expect(await stepsOf(linked, delivery)).toEqual(whole);
    expect(await stepsOf(linked, delivery), "the same once more").toEqual(whole);
  }
  const delivery = linked.signed(event("4"));
  const whole = { code: "unavailable", steps: [...lookUp, ...judged(delivery), ...storing] };
  expect(await stepsOf(linked, delivery, 3)).toEqual(whole);
  expect((await linked.hints()).map(({ id }) => id)).toEqual(["1", "2", "3"]);
  expect(linked.zendesk.journal.entries).toEqual([]);
});

describe("what is refused with 401 (row 119)", () => {
  test("is refused after the same work: an unknown address, a wrong signature and an old one", async () => {
    const linked = await linkedAndChecked();
    // Nobody's secret is sealed with the first of them in a process.
    await stepsOf(linked, { ...linked.signed("{}"), connectionId: "999999" });
    const old = linked.signed(event("1"));
    linked.world.advance(2 * DAY);
    const delivery = linked.signed(event("1"));
    const refused: [string, Delivery][] = [
      ["unknown", { ...delivery, connectionId: "999999" }],
      ["unknown and wrongly signed", { ...delivery, connectionId: "999999", signature: otherSignature() }],
      ["no number", { ...delivery, connectionId: "nonsense" }],
      ["wrongly signed", { ...delivery, signature: otherSignature(), webhookId: null }],
      ["signed by no signature", { ...delivery, signature: "AAAA", webhookId: null }],
      ["unsigned", { ...delivery, signature: null, webhookId: null }],
      ["two days old", old],
      ["two days old and wrongly signed", { ...old, signature: otherSignature(), webhookId: null }],
    ];
    const whole = { code: "unauthenticated", steps: [...lookUp, ...judged(delivery)] };
    for (const [what, one] of refused) expect(await stepsOf(linked, one), what).toEqual(whole);
  });

  test("is signed and compared as often, however many secrets its connection has", async () => {
    const linked = await linkedAndChecked();
    const delivery = { ...linked.signed(event("1")), signature: otherSignature(), webhookId: null };
    const { secret } = await linked.webhook();
    const inAnHour = new Date(linked.world.now() + HOUR);
    for (const secrets of [
      { secret: null },
      { secret },
      { secret, previous_secret: secret, previous_until: inAnHour },
    ]) {
      await saveWebhook(database.db, linked.scope, secrets);
      const { code, steps: done } = await stepsOf(linked, delivery);
      expect(code).toBe("unauthenticated");
      expect(done.filter((step) => step !== "opens a secret")).toEqual(["from webhook", ...judged(delivery)]);
    }
  });
});
