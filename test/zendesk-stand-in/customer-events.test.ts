import { describe, expect, it } from "vitest";
import { startDemo } from "#test/support/zendesk/demo.ts";
import { client, kindsOf, partOf, world, write, writerOf, zendesk } from "./writer.ts";

const profile = { source: "app", type: "customer", identifiers: [{ type: "email", value: "ann@acme.com" }] };
const event = { source: "app", type: "order placed", properties: { message_id: "m-1", total: 5 } };

describe("customer events", () => {
  it("are taken at once, can be read later, and cannot be taken back", async () => {
    const { id } = world.users.create({ name: "Ann", email: "ann@acme.com" });
    const taken = await write("POST", `/users/${id}/events`, { profile, event });
    expect([taken.status, taken.json]).toMatchObject([202, { status: "received", user_id: Number(id) }]);
    const filters = "filter[source]=app&filter[type]=order%20placed";
    const read = async () => partOf(await client.get(`/api/v2/users/${id}/events?${filters}`), "events");
    expect(await read()).toEqual([]);
    world.advance(world.settings.eventLag);
    expect(await read()).toMatchObject([{ type: "order placed", properties: { message_id: "m-1", total: 5 } }]);
    expect(kindsOf(zendesk)).toEqual(["profile.created", "customer_event.received"]);
    expect(zendesk.effects.of("customer_event")[0]).toMatchObject({ messageId: "m-1", values: { user_id: id } });
    await write("POST", `/users/${id}/events`, { profile, event });
    expect(zendesk.effects.repeated("customer_event.received", ({ messageId }) => messageId).size).toBe(1);
  });

  it("make a user without a name where nobody has the profile's identifiers", async () => {
    expect((await write("POST", "/user_profiles/events", { profile, event })).status).toBe(202);
    expect((await write("POST", "/user_profiles/events", { profile, event })).status).toBe(202);
    expect(kindsOf(zendesk).filter((kind) => kind === "user.created")).toHaveLength(1);
    expect(world.identities.ownerOf("ann@acme.com")).toBeDefined();
    const read = await client.get("/api/v2/user_profiles/events?identifier=app:customer:email:ann@acme.com");
    expect(read.status).toBe(200);
  });

  it.each([
    ["the source zendesk", { profile, event: { ...event, source: "Zendesk" } }],
    ["no properties", { profile, event: { source: "app", type: "t" } }],
    ["no profile", { event }],
  ])("are refused with %s", async (_what, body) => {
    const { id } = world.users.create({ name: "Ann", email: "ann@acme.com" });
    expect((await write("POST", `/users/${id}/events`, body)).status).toBe(400);
    expect(zendesk.effects.entries).toEqual([]);
  });

  it("can be missing from the plan", async () => {
    const { id } = world.users.create({ name: "Ann" });
    for (const answer of [403, 404] as const) {
      world.settings.sunshine = answer;
      expect((await write("POST", `/users/${id}/events`, { profile, event })).status).toBe(answer);
    }
  });
});

it("a demo takes writes, and shows what they did to whoever asks from outside", async () => {
  const demo = await startDemo({ size: "small", control: true });
  try {
    const writeToDemo = writerOf(demo.zendesk);
    const { user } = (await writeToDemo("POST", "/users", { user: { name: "Ann" } })).json;
    await writeToDemo("POST", `/users/${user.id}/events`, { profile, event });
    const effects = async (method: string, query = "") => {
      const answer = await fetch(`${demo.zendesk.origin}/_stand-in/effects${query}`, { method });
      return ((await answer.json()) as { entries?: Record<string, unknown>[] }).entries;
    };
    expect(await effects("GET", "?kind=user.created")).toMatchObject([
      { id: String(user.id), values: { name: "Ann" } },
    ]);
    expect(await effects("GET", "?subdomain=another")).toEqual([]);
    await effects("DELETE");
    expect(await effects("GET")).toEqual([]);
  } finally {
    await demo.zendesk.close();
  }
});
