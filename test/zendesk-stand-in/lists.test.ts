import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { DAY, MINUTE, seconds } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { clientOf, type TestClient } from "./client.ts";

let zendesk: Zendesk;
let world: World;
let client: TestClient;

beforeAll(async () => {
  zendesk = await startZendesk({ worlds: [new World()] });
});
afterAll(() => zendesk.close());
beforeEach(() => {
  world = new World();
  zendesk.serve(world);
  client = clientOf({ ...zendesk, world: () => world });
});

const importMany = (count: number) => {
  for (let i = 0; i < count; i++) world.organizations.create({ name: `Organization ${i}` });
};

describe("lists", () => {
  it("page by cursor when page[size] is there, with links.next on the last page too", async () => {
    importMany(5);
    const seen: number[] = [];
    let query = "page[size]=2";
    for (let page = 1; page <= 3; page++) {
      const { json } = await client.get(`/api/v2/organizations?${query}`);
      seen.push(...json.organizations.map((row) => row.id));
      expect(json.meta.has_more).toBe(page < 3);
      expect(json.links.next).toContain("page%5Bafter%5D=");
      query = `page[size]=2&page[after]=${encodeURIComponent(json.meta.after_cursor)}`;
    }
    expect(new Set(seen).size).toBe(5);
    const past = await client.get(`/api/v2/organizations?${query}`);
    expect(past.json).toMatchObject({ organizations: [], meta: { has_more: false, after_cursor: null } });
  });

  it("keep their place by cursor when rows before it vanish", async () => {
    importMany(4);
    const first = (await client.get("/api/v2/organizations?page[size]=2")).json;
    world.organizations.delete(String(first.organizations[0]?.id));
    const after = encodeURIComponent(first.meta.after_cursor);
    const second = (await client.get(`/api/v2/organizations?page[size]=2&page[after]=${after}`)).json;
    expect(second.organizations.map((row) => row.name)).toEqual(["Organization 2", "Organization 3"]);
  });

  it("can promise a page after a full last one, and then it is empty", async () => {
    world.settings.endOfStream = "late";
    importMany(2);
    const full = (await client.get("/api/v2/organizations?page[size]=2")).json;
    expect(full.meta.has_more).toBe(true);
    const after = encodeURIComponent(full.meta.after_cursor);
    const empty = (await client.get(`/api/v2/organizations?page[size]=2&page[after]=${after}`)).json;
    expect(empty).toMatchObject({ organizations: [], meta: { has_more: false }, links: { next: null } });
  });

  it("page by offset otherwise, at most 100 a page and 10,000 deep", async () => {
    importMany(150);
    const first = (await client.get("/api/v2/organizations?per_page=1000")).json;
    expect([first.organizations.length, first.count, first.previous_page]).toEqual([100, 150, null]);
    const second = (await client.get("/api/v2/organizations?page=2")).json;
    expect([second.organizations.length, second.next_page]).toEqual([50, null]);
    const deep = await client.get("/api/v2/organizations?page=101");
    expect([deep.status, deep.json.errors[0]?.code]).toEqual([400, "InvalidPaginationDepth"]);
  });

  it("refuse pages that are too large, and two cursors at once", async () => {
    for (const query of ["page[size]=101", "page[size]=0", "page[size]=x", "page[after]=a&page[before]=b"]) {
      const { status, json } = await client.get(`/api/v2/organizations?${query}`);
      expect([status, json.errors[0]?.code]).toEqual([400, "InvalidPaginationParameter"]);
    }
  });

  it("come whole where an endpoint knows no pages", async () => {
    for (let i = 0; i < 120; i++) world.definitions.createField("ticket", { key: `field_${i}` });
    const { json } = await client.get("/api/v2/ticket_fields.json");
    expect(json.ticket_fields).toHaveLength(127);
    const statuses = (await client.get("/api/v2/custom_statuses.json")).json;
    expect(statuses.custom_statuses.map((row) => row.status_category)).toEqual([
      "new",
      "open",
      "pending",
      "hold",
      "solved",
    ]);
    expect(statuses).not.toHaveProperty("meta");
  });

  it("count, and do not know since when while they still count", async () => {
    importMany(3);
    expect((await client.get("/api/v2/organizations/count")).json.count).toEqual({
      value: 3,
      refreshed_at: "2026-03-02T09:00:00.000Z",
    });
    world.settings.countsPending = true;
    expect((await client.get("/api/v2/users/count")).json.count).toEqual({ value: 1, refreshed_at: null });
  });

  it("show many by id leaves out what does not exist, and takes no more than 100", async () => {
    const kept = world.tickets.create();
    const deleted = world.tickets.create();
    world.tickets.delete(deleted.id);
    const { json } = await client.get(`/api/v2/tickets/show_many?ids=${kept.id},${deleted.id},77`);
    expect(json.tickets.map((row) => row.id)).toEqual([1]);
    expect(json.tickets[0]).not.toHaveProperty("generated_timestamp");
    const many = await client.get(`/api/v2/tickets/show_many?ids=${Array.from({ length: 101 }, (_, i) => i).join()}`);
    expect([many.status, many.json.error]).toEqual([400, "TooManyValues"]);
  });

  it("find organizations by external id in any case, and hide deleted groups unless asked", async () => {
    world.organizations.create({ name: "A", externalId: "Ext-1" });
    const found = (await client.get("/api/v2/organizations/show_many?external_ids=EXT-1")).json;
    expect(found.organizations.map((row) => row.name)).toEqual(["A"]);
    const group = world.definitions.createGroup({ name: "Old" });
    world.definitions.updateGroup(group.id, { deleted: true });
    expect((await client.get("/api/v2/groups")).json.groups).toHaveLength(1);
    expect((await client.get("/api/v2/groups?exclude_deleted=false")).json.groups).toHaveLength(2);
  });

  it("show memberships with the default one marked true and the others null", async () => {
    const [a, b] = ["A", "B"].map((name) => world.organizations.create({ name }));
    const user = world.users.create({ name: "Una", organizationId: a?.id ?? null });
    world.users.join(user.id, b?.id ?? "");
    const { json } = await client.get(`/api/v2/users/${user.id}/organization_memberships?page[size]=100`);
    expect(json.organization_memberships).toMatchObject([
      { organization_name: "A", default: true },
      { organization_name: "B", default: null },
    ]);
  });
});

describe("legacy satisfaction", () => {
  const path = "/api/v2/satisfaction_ratings.json?page[size]=100";

  it("goes from unoffered to offered to an answer, on the ticket and in the list", async () => {
    const ticket = world.tickets.create();
    const onTicket = async () => (await client.get("/api/v2/tickets/1")).json.ticket.satisfaction_rating;
    expect(await onTicket()).toEqual({ score: "unoffered" });
    world.ratings.offer(ticket.id);
    expect(await onTicket()).toEqual({ score: "offered" });
    world.ratings.rate(ticket.id, "bad", { comment: "Slow" });
    expect(await onTicket()).toMatchObject({ score: "bad", comment: "Slow" });
    const rows = (await client.get(path)).json.satisfaction_ratings;
    expect(rows).toMatchObject([{ ticket_id: 1, score: "bad", comment: "Slow", assignee_id: null }]);
  });

  it("changes the same row, or adds a row of its own, as the account is set", async () => {
    const ticket = world.tickets.create();
    world.ratings.rate(ticket.id, "good");
    world.advance(DAY);
    world.ratings.rate(ticket.id, "bad");
    const changed = (await client.get(path)).json.satisfaction_ratings;
    expect(changed).toMatchObject([
      { score: "bad", created_at: "2026-03-02T09:00:00Z", updated_at: "2026-03-03T09:00:00Z" },
    ]);
    world.settings.ratingMode = "new-record";
    world.advance(DAY);
    world.ratings.rate(ticket.id, "good");
    const added = (await client.get(path)).json.satisfaction_ratings;
    expect(added.map((row) => row.score)).toEqual(["bad", "good"]);
  });

  it("filters by creation, not by change, and by every documented score", async () => {
    const ticket = world.tickets.create();
    world.ratings.offer(ticket.id);
    world.advance(DAY);
    const start = seconds(world.now());
    world.ratings.rate(ticket.id, "good", { comment: "Fine" });
    const count = async (query: string) => (await client.get(`${path}&${query}`)).json.satisfaction_ratings.length;
    expect(await count(`start_time=${start}`)).toBe(0);
    expect(await count(`end_time=${start - 1}`)).toBe(1);
    for (const score of ["received", "good", "good_with_comment", "received_with_comment"]) {
      expect(await count(`score=${score}`)).toBe(1);
    }
    for (const score of ["bad", "offered", "good_without_comment"]) expect(await count(`score=${score}`)).toBe(0);
  });

  it("walks many ratings by cursor in the order of creation", async () => {
    for (let i = 0; i < 7; i++) {
      world.ratings.rate(world.tickets.create().id, "good");
      if (i % 3 === 0) world.advance(MINUTE);
    }
    const seen: unknown[] = [];
    let query = "page[size]=3";
    for (let more = true; more; ) {
      const { json } = await client.get(`/api/v2/satisfaction_ratings?${query}`);
      seen.push(...json.satisfaction_ratings.map((row) => row.ticket_id));
      more = json.meta.has_more;
      query = `page[size]=3&page[after]=${encodeURIComponent(json.meta.after_cursor)}`;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("survey responses", () => {
  beforeEach(() => {
    world.settings.satisfaction = "survey";
  });
  const path = "/api/v2/guide/survey_responses";

  it("name their ticket in subjects, count in categories and have milliseconds", async () => {
    const ticket = world.tickets.create();
    world.ratings.rate(ticket.id, "bad", { comment: "Never again", rating: 2 });
    const [response] = (await client.get(path)).json.survey_responses;
    expect(response).toMatchObject({
      subject_zrns: ["zen:ticket:1"],
      subjects: [{ id: "1", type: "ticket", zrn: "zen:ticket:1" }],
      responder_id: Number(ticket.requesterId),
    });
    expect(response).not.toHaveProperty("assignee_id");
    expect(response?.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(response?.answers).toMatchObject([
      {
        type: "rating_scale",
        rating: 2,
        rating_category: "bad",
        question: { sub_type: "customer_satisfaction" },
        updated_at: "2026-03-02T09:00:00.000Z",
      },
      { type: "open_ended", value: "Never again", question: { sub_type: "other" } },
    ]);
  });

  it("filter by creation in milliseconds, by ticket, and sort both ways", async () => {
    const [first, second] = [world.tickets.create(), world.tickets.create()];
    world.ratings.rate(first.id, "good");
    world.advance(1500);
    world.ratings.rate(second.id, "bad");
    const tickets = async (query: string) =>
      (await client.get(`${path}?${query}`)).json.survey_responses.map((row) => (row.subject_zrns as string[])[0]);
    expect(await tickets(`filter[created_at_start]=${world.now()}`)).toEqual(["zen:ticket:2"]);
    expect(await tickets(`filter[created_at_end]=${world.now() - 1}`)).toEqual(["zen:ticket:1"]);
    expect(await tickets("filter[subject_zrns]=zen:ticket:2")).toEqual(["zen:ticket:2"]);
    expect(await tickets("sort=-id&page[size]=100")).toEqual(["zen:ticket:2", "zen:ticket:1"]);
  });

  it("can be answered after the offer and changed until they expire", async () => {
    const ticket = world.tickets.create();
    world.ratings.offer(ticket.id);
    expect((await client.get(path)).json.survey_responses[0]?.answers).toEqual([]);
    world.advance(10 * DAY);
    world.ratings.rate(ticket.id, "bad");
    world.ratings.rate(ticket.id, "neutral");
    const rows = (await client.get(path)).json.survey_responses;
    expect(rows).toHaveLength(1);
    expect(rows[0]?.answers).toMatchObject([{ rating_category: "neutral", rating: 3 }]);
    world.advance(20 * DAY);
    expect(() => world.ratings.rate(ticket.id, "good")).toThrow("expired");
  });

  it("are 404 in an account that never had any, and legacy ratings 403 likewise; after a switch both answer", async () => {
    const legacy = "/api/v2/satisfaction_ratings";
    expect([(await client.get(path)).status, (await client.get(legacy)).status]).toEqual([200, 403]);
    world.settings.satisfaction = "legacy";
    expect([(await client.get(path)).status, (await client.get(legacy)).status]).toEqual([404, 200]);
    world.ratings.rate(world.tickets.create().id, "good");
    world.settings.satisfaction = "survey";
    expect([(await client.get(path)).status, (await client.get(legacy)).status]).toEqual([200, 200]);
  });
});
