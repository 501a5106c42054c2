import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { isoSeconds, MINUTE, seconds } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { clientOf, type Row, type TestClient } from "./client.ts";

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

const cursorPath = "/api/v2/incremental/tickets/cursor.json";
const ids = (rows: Row[]): number[] => rows.map((row) => row.id);

/** Reads a cursor export to its end, by cursor alone. */
async function readAll(path: string, first: string): Promise<{ rows: Row[]; pages: number; cursor: string }> {
  let query = first;
  const rows: Row[] = [];
  for (let pages = 1; ; pages++) {
    const { json } = await client.get(`${path}?${query}`);
    rows.push(...(json.tickets ?? json.users));
    if (json.end_of_stream) return { rows, pages, cursor: json.after_cursor };
    query = `cursor=${encodeURIComponent(json.after_cursor)}&per_page=${new URLSearchParams(query).get("per_page")}`;
  }
}

describe("the tickets cursor export", () => {
  it("orders by generated_timestamp and shows every row once over many pages", async () => {
    for (let i = 0; i < 25; i++) world.at(world.now() - i * MINUTE - 5 * MINUTE, () => world.tickets.create());
    const { rows, pages } = await readAll(cursorPath, "start_time=0&per_page=10");
    expect(pages).toBe(3);
    const stamps = rows.map((row) => Number(row.generated_timestamp));
    expect(stamps).toEqual([...stamps].sort((a, b) => a - b));
    expect(new Set(ids(rows)).size).toBe(25);
  });

  it("keeps after_cursor at the end, from which a later poll goes on", async () => {
    world.tickets.create();
    world.advance(2 * MINUTE);
    const { cursor } = await readAll(cursorPath, "start_time=0&per_page=10");
    const nothing = await client.get(`${cursorPath}?cursor=${encodeURIComponent(cursor)}`);
    expect(nothing.json).toMatchObject({ tickets: [], end_of_stream: true, after_cursor: cursor });
    const later = world.tickets.create();
    world.advance(2 * MINUTE);
    const more = await client.get(`${cursorPath}?cursor=${encodeURIComponent(cursor)}`);
    expect(ids(more.json.tickets)).toEqual([Number(later.id)]);
  });

  it("keeps every parameter but start_time in after_url", async () => {
    for (let i = 0; i < 3; i++) world.tickets.create();
    world.advance(2 * MINUTE);
    const first = await client.get(`${cursorPath}?start_time=0&per_page=2&include=metric_sets&exclude_deleted=true`);
    const next = new URL(first.json.after_url).searchParams;
    expect(Object.fromEntries(next)).toEqual({
      per_page: "2",
      include: "metric_sets",
      exclude_deleted: "true",
      cursor: first.json.after_cursor,
    });
    expect(first.json).toMatchObject({ before_url: null, before_cursor: null, end_of_stream: false });
  });

  it("shows a ticket again that changed between two pages", async () => {
    const first = world.tickets.create();
    world.advance(MINUTE);
    world.tickets.create();
    world.advance(2 * MINUTE);
    const page = await client.get(`${cursorPath}?start_time=0&per_page=1`);
    expect(ids(page.json.tickets)).toEqual([Number(first.id)]);
    world.tickets.update(first.id, { priority: "urgent" });
    world.advance(2 * MINUTE);
    const rest = await client.get(`${cursorPath}?cursor=${encodeURIComponent(page.json.after_cursor)}`);
    expect(ids(rest.json.tickets)).toEqual([2, 1]);
  });

  it("withholds the newest minute of the account's clock", async () => {
    world.tickets.create();
    expect((await client.get(`${cursorPath}?start_time=0`)).json.tickets).toEqual([]);
    world.advance(59_000);
    expect((await client.get(`${cursorPath}?start_time=0`)).json.tickets).toEqual([]);
    world.advance(1000);
    expect((await client.get(`${cursorPath}?start_time=0`)).json.tickets).toHaveLength(1);
  });

  it("refuses a start_time that is too recent, missing or no number", async () => {
    const recent = await client.get(`${cursorPath}?start_time=${seconds(world.now()) - 59}`);
    expect([recent.status, recent.json.error]).toEqual([422, "InvalidValue"]);
    expect(recent.json.description).toMatch(/^Too recent start_time\. Use a start_time older than/);
    expect((await client.get(`${cursorPath}?start_time=${seconds(world.now()) - 60}`)).status).toBe(200);
    expect((await client.get(cursorPath)).status).toBe(400);
    expect((await client.get(`${cursorPath}?start_time=soon`)).status).toBe(400);
    expect((await client.get(`${cursorPath}?cursor=junk`)).status).toBe(400);
  });

  it("shows rows whose updated_at lies before start_time when only the system touched them", async () => {
    const ticket = world.tickets.create();
    const created = isoSeconds(world.now());
    world.advance(60 * MINUTE);
    world.tickets.systemTouch(ticket.id);
    world.advance(2 * MINUTE);
    const { json } = await client.get(`${cursorPath}?start_time=${seconds(world.now()) - 30 * 60}`);
    expect(json.tickets).toMatchObject([
      { id: 1, updated_at: created, generated_timestamp: seconds(world.now()) - 120 },
    ]);
  });

  it("shows deleted, scrubbed and archived tickets, and leaves deleted ones out when asked", async () => {
    const [deleted, scrubbed, archived] = [1, 2, 3].map(() => world.tickets.create({ subject: "Secret", tags: ["a"] }));
    world.tickets.delete(deleted?.id ?? "");
    world.tickets.scrub(scrubbed?.id ?? "");
    world.tickets.solve(archived?.id ?? "");
    world.tickets.closeSolved(archived?.id ?? "");
    world.tickets.archive(archived?.id ?? "");
    world.advance(2 * MINUTE);
    const { json } = await client.get(`${cursorPath}?start_time=0`);
    expect(json.tickets).toMatchObject([
      { id: 1, status: "deleted", subject: "Secret" },
      { id: 2, status: "deleted", subject: "SCRUBBED", raw_subject: "SCRUBBED", description: "X", tags: [] },
      { id: 3, status: "closed" },
    ]);
    expect(json.tickets[1]?.requester_id).not.toBe(json.tickets[0]?.requester_id);
    expect(ids((await client.get(`${cursorPath}?start_time=0&exclude_deleted=true`)).json.tickets)).toEqual([3]);
    expect((await client.get("/api/v2/tickets")).json.tickets).toEqual([]);
    expect((await client.get("/api/v2/tickets/3")).status).toBe(200);
    expect((await client.get("/api/v2/tickets/1")).status).toBe(404);
  });

  it("embeds metric_set for include=metric_sets only", async () => {
    const ticket = world.tickets.create();
    world.advance(MINUTE);
    world.tickets.solve(ticket.id);
    const solvedAt = isoSeconds(world.now());
    world.advance(2 * MINUTE);
    const { json } = await client.get(`${cursorPath}?start_time=0&include=metric_sets`);
    expect(json.tickets[0]?.metric_set).toMatchObject({ ticket_id: 1, reopens: 0, solved_at: solvedAt });
    expect((await client.get(`${cursorPath}?start_time=0`)).json.tickets[0]).not.toHaveProperty("metric_set");
  });

  it("shows tickets of the other support type only when asked", async () => {
    world.tickets.create();
    world.tickets.create({ aiAgent: true });
    world.advance(2 * MINUTE);
    const count = async (scope: string) => ids((await client.get(`${cursorPath}?start_time=0${scope}`)).json.tickets);
    expect(await count("")).toEqual([1]);
    expect(await count("&support_type_scope=ai_agent")).toEqual([2]);
    expect(await count("&support_type_scope=all")).toEqual([1, 2]);
  });

  it("writes ids past 2^53 as the integers they are", async () => {
    world.tickets.create({ id: "9007199254740993" });
    world.tickets.create({ id: "9007199254740994" });
    world.tickets.create({ id: "9223372036854775807" });
    world.advance(2 * MINUTE);
    const { text } = await client.get(`${cursorPath}?start_time=0&per_page=2`);
    expect(text).toContain('"id":9007199254740993,');
    expect(text).toContain('"id":9007199254740994,');
    const { rows } = await readAll(cursorPath, "start_time=0&per_page=1");
    expect(rows).toHaveLength(3);
  });

  it("can say false after a full last page and end with an empty one", async () => {
    world.settings.endOfStream = "late";
    world.tickets.create();
    world.tickets.create();
    world.advance(2 * MINUTE);
    const { rows, pages } = await readAll(cursorPath, "start_time=0&per_page=2");
    expect([rows.length, pages]).toEqual([2, 2]);
  });

  it("hides chosen rows from the export and shows late ones late, at their old stamp", async () => {
    const hidden = world.tickets.create();
    world.tickets.hideFromExport(hidden.id);
    world.showLate({ probability: 1, minimum: 10 * MINUTE, maximum: 10 * MINUTE });
    const late = world.tickets.create();
    const stamp = seconds(world.now());
    world.showLate(null);
    world.advance(5 * MINUTE);
    expect((await client.get(`${cursorPath}?start_time=0`)).json.tickets).toEqual([]);
    expect((await client.get(`/api/v2/tickets/${hidden.id}`)).status).toBe(200);
    world.advance(6 * MINUTE);
    const { json } = await client.get(`${cursorPath}?start_time=0`);
    expect(json.tickets).toMatchObject([{ id: Number(late.id), generated_timestamp: stamp }]);
  });
});

describe("time exports", () => {
  const path = "/api/v2/incremental/organizations.json";
  const importMany = (count: number, from = 0) => {
    for (let i = 0; i < count; i++) world.organizations.create({ name: `Organization ${from + i}` });
  };

  it("repeat the boundary second and keep next_page at the end", async () => {
    importMany(2);
    world.advance(1000);
    importMany(2, 2);
    world.advance(2 * MINUTE);
    const first = (await client.get(`${path}?start_time=0&per_page=3`)).json;
    expect([first.count, first.end_of_stream, first.end_time]).toEqual([3, false, seconds(world.now()) - 120]);
    const second = (await client.get(`${path}?start_time=${first.end_time}&per_page=3`)).json;
    expect([second.count, second.end_of_stream]).toEqual([2, true]);
    expect(second.organizations[0]?.id).toBe(first.organizations[2]?.id);
    expect(second.next_page).toContain(`start_time=${second.end_time}`);
  });

  it("grow a page that one second fills, and go on a second later", async () => {
    importMany(25);
    world.advance(1000);
    importMany(1, 25);
    world.advance(2 * MINUTE);
    const first = (await client.get(`${path}?start_time=0&per_page=10`)).json;
    expect([first.count, first.end_time, first.end_of_stream]).toEqual([25, seconds(world.now()) - 120, false]);
    const second = (await client.get(`${path}?start_time=${first.end_time}&per_page=10`)).json;
    expect([second.count, second.end_of_stream]).toEqual([1, true]);
  });

  it("make no progress at all in such a second when the account does not grow pages", async () => {
    world.settings.overflowPage = false;
    importMany(25);
    world.advance(2 * MINUTE);
    const second = seconds(world.now()) - 120;
    const first = (await client.get(`${path}?start_time=${second}&per_page=10`)).json;
    expect([first.count, first.end_time, first.end_of_stream]).toEqual([10, second, false]);
  });

  it("end with 1000 rows of exactly one second", async () => {
    importMany(1000);
    world.advance(2 * MINUTE);
    const page = (await client.get(`${path}?start_time=0`)).json;
    expect([page.count, page.end_of_stream, page.end_time]).toEqual([1000, true, seconds(world.now()) - 119]);
  });

  it("answer an empty page with the start_time, or with null where the account is set so", async () => {
    const start = seconds(world.now()) - 120;
    expect((await client.get(`${path}?start_time=${start}`)).json).toMatchObject({ count: 0, end_time: start });
    world.settings.emptyEndTime = "null";
    const empty = (await client.get(`${path}?start_time=${start}`)).json;
    expect([empty.end_time, empty.end_of_stream, typeof empty.next_page]).toEqual([null, true, "string"]);
  });

  it("do not withhold organizations, and have no cursor form of them", async () => {
    importMany(1);
    world.clock.advance(0);
    expect((await client.get(`${path}?start_time=0`)).json.count).toBe(1);
    const cursor = await client.get("/api/v2/incremental/organizations/cursor?start_time=0");
    expect([cursor.status, cursor.json.error]).toEqual([404, "InvalidEndpoint"]);
  });

  it("show deleted organizations only behind the switch", async () => {
    const organization = world.organizations.create({ name: "Gone" });
    world.organizations.delete(organization.id);
    const plain = (await client.get(`${path}?start_time=0`)).json;
    expect(plain.organizations).toEqual([]);
    world.settings.deletedOrganizationsInExport = true;
    const shown = (await client.get(`${path}?start_time=0`)).json;
    expect(shown.organizations).toMatchObject([{ name: "Gone", deleted_at: isoSeconds(world.now()) }]);
    expect((await client.get(`/api/v2/organizations/${organization.id}`)).status).toBe(404);
  });

  it("show tickets and users as well", async () => {
    world.tickets.create();
    world.advance(2 * MINUTE);
    expect((await client.get("/api/v2/incremental/tickets?start_time=0")).json.tickets).toHaveLength(1);
    expect((await client.get("/api/v2/incremental/users?start_time=0")).json.users).toHaveLength(2);
  });
});

describe("the users cursor export", () => {
  it("shows deleted, merged and permanently deleted users as inactive", async () => {
    const deleted = world.users.create({ name: "Dee", email: "dee@mail.example" });
    const loser = world.users.create({ name: "Lou" });
    const winner = world.users.create({ name: "Win" });
    const ghost = world.users.create({ name: "Gus", phone: "1" });
    world.users.delete(deleted.id);
    world.users.merge(loser.id, winner.id);
    world.users.permanentlyDelete(ghost.id);
    const { rows } = await readAll("/api/v2/incremental/users/cursor.json", "start_time=0&per_page=2");
    const row = (id: string) => rows.find((candidate) => String(candidate.id) === id);
    expect(row(deleted.id)).toMatchObject({ name: "Dee", active: false, email: null });
    expect(row(loser.id)).toMatchObject({ active: false });
    expect(row(winner.id)).toMatchObject({ active: true });
    expect(row(ghost.id)).toMatchObject({ name: "Permanently Deleted User", active: false, phone: null });
    expect((await client.get(`/api/v2/users/${deleted.id}`)).json.user.active).toBe(false);
    expect((await client.get(`/api/v2/users/${loser.id}`)).status).toBe(404);
  });

  it("shows a new version of a merged user; none can be merged into itself", async () => {
    const loser = world.users.create({ name: "Lou" });
    const winner = world.users.create({ name: "Win" });
    expect(() => world.users.merge(loser.id, loser.id)).toThrow("itself");
    expect(world.users.byId.get(loser.id)?.active).toBe(true);
    world.users.merge(loser.id, winner.id);
    world.advance(MINUTE);
    world.users.systemTouch(loser.id);
    const path = `/api/v2/incremental/users/cursor?start_time=${seconds(world.now())}`;
    world.advance(2 * MINUTE);
    expect((await client.get(path)).json.users).toMatchObject([{ name: "Lou", active: false }]);
  });
});

describe("the ticket events export", () => {
  const path = "/api/v2/incremental/ticket_events.json?start_time=0";

  it("has a Create child for each field that was set, the field as its own key, values as text", async () => {
    const organization = world.organizations.create({ name: "Org" });
    world.tickets.create({ subject: "Help", priority: "high", organizationId: organization.id });
    world.advance(2 * MINUTE);
    const [event] = (await client.get(path)).json.ticket_events;
    expect(event).toMatchObject({ ticket_id: 1, event_type: "Audit", timestamp: seconds(world.now()) - 120 });
    const created = (event?.child_events ?? []).filter((child: Row) => child.event_type === "Create");
    const fields = Object.assign({}, ...created);
    expect(fields).toMatchObject({
      subject: "Help",
      priority: "high",
      status: "new",
      organization_id: organization.id,
      requester_id: world.users.defaultRequester().id,
    });
    expect(fields).not.toHaveProperty("assignee_id");
    expect(fields).not.toHaveProperty("group_id");
    expect(event?.child_events[0]).toMatchObject({
      event_type: "Comment",
      comment_present: true,
      comment_public: true,
    });
  });

  it("has a Change child with the previous value, unless the account leaves it out", async () => {
    const ticket = world.tickets.create({ priority: "low" });
    world.advance(1000);
    world.tickets.update(ticket.id, { status: "solved", priority: null });
    world.advance(2 * MINUTE);
    const change = async () => (await client.get(path)).json.ticket_events[1]?.child_events;
    expect(await change()).toMatchObject([
      { event_type: "Change", priority: null, previous_value: "low" },
      { event_type: "Change", status: "solved", previous_value: "new" },
      { event_type: "Change", custom_status_id: world.definitions.defaultStatusId("solved") },
    ]);
    world.settings.previousValues = false;
    expect((await change())?.[1]).not.toHaveProperty("previous_value");
  });

  it("repeats the boundary second and gives comments their body on request", async () => {
    const ticket = world.tickets.create();
    for (let i = 0; i < 3; i++) world.tickets.comment(ticket.id, `Note ${i}`, { isPublic: false });
    world.advance(1000);
    world.tickets.comment(ticket.id, "Last");
    world.advance(2 * MINUTE);
    const first = (await client.get(`${path}&per_page=2`)).json;
    expect([first.count, first.end_of_stream]).toEqual([4, false]);
    const all = (await client.get(`${path}&include=comment_events`)).json.ticket_events;
    expect(all[1]?.child_events[0]).toMatchObject({ body: "Note 0", comment_public: false, public: false });
    expect(new Set(ids(all)).size).toBe(5);
  });
});
