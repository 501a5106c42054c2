import { expect, test } from "vitest";
import { PATCH as changeSource } from "#app/api/v1/sources/[id]/route.ts";
import { POST } from "#app/v1/[door]/route.ts";
import { startEndpoint } from "#test/support/endpoint.ts";
import { clients } from "./clients.ts";
import { useDoors } from "./ground.ts";

const doors = useDoors();

const timestamp = new Date("2026-11-20T10:00:00.000Z");

for (const [name, start] of Object.entries(clients)) {
  test(`${name}, unmodified, delivers each of its calls once`, async () => {
    const sending = await doors.source();
    const { analytics, flush } = start(sending.writeKey, doors.origin);
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
    const { analytics, flush } = start(sending.writeKey, doors.origin);
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
      const { analytics, flush } = start(sending.writeKey, losing.origin);
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
      const { analytics, flush } = start(writeKey, doors.origin);
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
