import { Analytics as CustomerIo } from "@customerio/cdp-analytics-node";
import RudderStack from "@rudderstack/rudder-sdk-node";
import { Analytics as Segment } from "@segment/analytics-node";
import { expect, test } from "vitest";
import { PATCH as changeSource } from "#app/api/v1/sources/[id]/route.ts";
import { POST } from "#app/v1/[door]/route.ts";
import { startEndpoint } from "#test/support/endpoint.ts";
import { type Sending, useDoors } from "./ground.ts";

const doors = useDoors();

/** A published client library, pointed at the doors, as its documentation says. */
interface Client {
  // biome-ignore lint/suspicious/noExplicitAny: each SDK has types of its own for the same calls
  analytics: any;
  /** Rejects where the SDK tells its program that events were not delivered. */
  flush(): Promise<void>;
}

const clients: Record<string, (sending: Sending, origin?: string) => Client> = {
  "@segment/analytics-node": ({ writeKey }, host = doors.origin) =>
    emitting(new Segment({ writeKey, host, maxRetries: 2 })),
  "@customerio/cdp-analytics-node": ({ writeKey }, host = doors.origin) =>
    emitting(new CustomerIo({ writeKey, host, maxRetries: 2 })),
  "@rudderstack/rudder-sdk-node": ({ writeKey }, dataPlaneUrl = doors.origin) => {
    const failures: unknown[] = [];
    const errorHandler = (failure: unknown) => void failures.push(failure);
    const options = { dataPlaneUrl, flushInterval: 200, logLevel: "none", errorHandler } as const;
    const analytics = new RudderStack(writeKey, options);
    return { analytics, flush: async () => requireNone(await analytics.flush().then(() => failures)) };
  },
};

interface Emitting {
  on(event: "error", heard: (failure: unknown) => void): unknown;
  closeAndFlush(options: { timeout: number }): Promise<unknown>;
}

function emitting(analytics: Emitting): Client {
  const failures: unknown[] = [];
  analytics.on("error", (failure: unknown) => failures.push(failure));
  return { analytics, flush: () => analytics.closeAndFlush({ timeout: 30_000 }).then(() => requireNone(failures)) };
}

function requireNone(failures: unknown[]): void {
  if (failures.length > 0) throw new Error("The SDK reports that events were not delivered.", { cause: failures });
}

const timestamp = new Date("2026-11-20T10:00:00.000Z");

for (const [name, start] of Object.entries(clients)) {
  test(`${name}, unmodified, delivers each of its calls once`, async () => {
    const sending = await doors.source();
    const { analytics, flush } = start(sending);
    analytics.identify({ userId: "u1", traits: { email: "ann@example.com", plan: "gold" }, timestamp });
    analytics.track({ userId: "u1", event: "Ticket Created", properties: { subject: "Help 🚀" }, timestamp });
    analytics.group({ userId: "u1", groupId: "g1", traits: { name: "Acme" }, timestamp });
    analytics.page({ userId: "u1", name: "Home", timestamp });
    analytics.screen({ anonymousId: "a1", name: "Main", timestamp });
    analytics.alias({ userId: "u1", previousId: "a1", timestamp });
    await flush();
    const stored = await eventually(() => doors.stored(sending.workspace), 6);
    expect(
      stored.map((event) => [event.type, event.name, event.user_id, event.group_id, event.rejection]).toSorted(),
    ).toEqual([
      ["alias", null, "u1", null, null],
      ["group", null, "u1", "g1", null],
      ["identify", null, "u1", null, null],
      ["page", "Home", "u1", null, null],
      ["screen", "Main", null, null, null],
      ["track", "Ticket Created", "u1", null, null],
    ]);
    expect(stored.map(({ occurred_at }) => occurred_at)).toEqual(Array(6).fill(timestamp));
    expect(new Set(stored.map(({ message_id }) => message_id)).size).toBe(6);
    const payloads = stored.map(({ payload }) => JSON.parse(payload));
    expect(payloads.find(({ type }) => type === "identify").traits).toEqual({ email: "ann@example.com", plan: "gold" });
    expect(payloads.find(({ type }) => type === "track").properties).toEqual({ subject: "Help 🚀" });
    expect(payloads.find(({ type }) => type === "group").traits).toEqual({ name: "Acme" });
    expect(payloads.every(({ context }) => context.library.name !== undefined)).toBe(true);
  });

  test(`${name} delivers hundreds of events in batches`, async () => {
    const sending = await doors.source();
    const { analytics, flush } = start(sending);
    for (let n = 0; n < 300; n++) analytics.track({ userId: `u${n}`, event: `Event ${n}` });
    await flush();
    const stored = await eventually(() => doors.stored(sending.workspace), 300);
    expect(new Set(stored.map((event) => event.name)).size).toBe(300);
    expect(stored.every(({ rejection }) => rejection === null)).toBe(true);
  });

  test(`${name} sends again what was stored without an answer, and it is there once`, async () => {
    const sending = await doors.source();
    let answers = 0;
    const losing = await startEndpoint(async (request) => {
      const answer = await POST(request, { params: Promise.resolve({ door: "batch" }) });
      return answers++ === 0 ? new Response("<html>Bad gateway</html>", { status: 502 }) : answer;
    });
    try {
      const { analytics, flush } = start(sending, losing.origin);
      analytics.track({ userId: "u1", event: "Paid" });
      await flush();
      expect(losing.statuses).toEqual([502, 200]);
      expect((await doors.stored(sending.workspace)).map((event) => event.name)).toEqual(["Paid"]);
    } finally {
      await losing.close();
    }
  });

  test(`${name} learns that a source is switched off, and of a key that does not work`, async () => {
    const sending = await doors.source();
    const path = `/api/v1/sources/${sending.sourceId}`;
    await doors.api.call(changeSource, path, { key: sending.key, body: { enabled: false } });
    for (const writeKey of [sending.writeKey, "bwk_nobodys"]) {
      const { analytics, flush } = start({ ...sending, writeKey });
      analytics.track({ userId: "u1", event: "Paid" });
      await expect(flush()).rejects.toThrow();
    }
    expect(await doors.stored(sending.workspace)).toEqual([]);
  });
}

/** Not every SDK says when it has sent its last batch. */
async function eventually<T>(read: () => Promise<T[]>, count: number): Promise<T[]> {
  await expect.poll(async () => (await read()).length, { timeout: 20_000 }).toBe(count);
  return read();
}
