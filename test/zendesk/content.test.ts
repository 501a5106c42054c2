import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { describe, expect, it } from "vitest";
import type { Database } from "#db/schema.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { retryHeldRows } from "#lib/zendesk/held.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { oddDates, poison } from "#test/support/zendesk/poison.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { type DistortedKind, type Distortion, World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { compare, readAtNight } from "#test/zendesk/compared.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

async function asOwner(statement: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(statement);
  await owner.end();
}

const heldRows = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("held_row")
      .selectAll()
      .where("connection_id", "=", account.connectionId)
      .orderBy("row_key")
      .execute(),
  );

/** Texts of a stream that had to be cleaned, as its run counts them. */
async function cleanedOf(account: Account, runId: string, stream: string): Promise<number> {
  const { cleaned } = await account.read((trx) =>
    trx
      .selectFrom("sync_run_stream")
      .select("cleaned")
      .where("run_id", "=", runId)
      .where("stream", "=", stream)
      .executeTakeFirstOrThrow(),
  );
  return Number(cleaned);
}

function settled(world: World): World {
  world.advance(5 * MINUTE);
  return world;
}

function newWorld(ids?: { ticket: number }): World {
  return new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", ...(ids ? { ids } : {}) });
}

/** Three tickets of which the middle one is distorted, read once. */
async function withTicket(distortion: Distortion) {
  const world = newWorld();
  const tickets = [1, 2, 3].map((n) => world.tickets.create({ subject: `Ticket ${n}`, priority: "high" }));
  const id = tickets[1]?.id as string;
  world.distort("ticket", id, distortion);
  const account = await connect(database, settled(world));
  const outcome = await account.sync();
  const rows = (await stored(account)).tickets as unknown as Record<string, unknown>[];
  const state = outcome.streams.find(({ name }) => name === "tickets")?.state;
  return { account, id, world, state, rows, row: rows.find((row) => row.id === id), held: await heldRows(account) };
}

describe("text", () => {
  it.each([
    ["NUL", poison.nul("subject"), "beforeafter"],
    ["half a surrogate pair", poison.loneSurrogate("subject"), "broken \ufffd emoji"],
    ["bytes that are no UTF-8", poison.invalidUtf8("subject"), "broken \ufffd( bytes"],
    ["an emoji family", { subject: "👨‍👩‍👧 🚀" }, "👨‍👩‍👧 🚀"],
    ["another alphabet", { subject: "Løst – решено" }, "Løst – решено"],
  ])("with %s is stored clean, beside its neighbours", async (_what, distortion, expected) => {
    const { rows, row, state } = await withTicket(distortion);
    expect(rows).toHaveLength(3);
    expect(row?.subject).toBe(expected);
    expect(state).toBe("ok");
  });

  it("that had to be cleaned is counted in the run (row 53)", async () => {
    const world = newWorld();
    const [one, two] = [1, 2].map((n) => world.tickets.create({ subject: `Ticket ${n}` }).id) as [string, string];
    world.distort("ticket", one, { subject: "NUL \u0000 here", tags: ["clean", "not\u0000clean"] });
    world.distort("ticket", two, poison.loneSurrogate("subject"));
    const account = await connect(database, settled(world));
    const { runId } = await account.sync();
    const counted = await account.read((trx) =>
      trx.selectFrom("sync_run_stream").select(["stream", "cleaned"]).where("run_id", "=", runId).execute(),
    );
    const of = new Map(counted.map(({ stream, cleaned }) => [stream, cleaned]));
    expect([of.get("tickets"), of.get("organizations")]).toEqual(["3", "0"]);
  });

  it("of any language or none is kept as a status and a priority", async () => {
    for (const [status, priority] of [
      ["Løst", "splendid"],
      ["", ""],
      [null, null],
      ["hold", "urgent"],
    ]) {
      const { row, state } = await withTicket({ status, priority });
      expect(row).toMatchObject({ status, priority });
      expect(state).toBe("ok");
    }
  });

  it("of five megabytes passes", async () => {
    const { rows, state } = await withTicket(poison.hugeText());
    expect(rows).toHaveLength(3);
    expect(state).toBe("ok");
  });

  it("with NUL in tags, in a key and in names reaches every table", async () => {
    const world = newWorld();
    const ticket = world.tickets.create({});
    world.distort("ticket", ticket.id, { tags: ["a\u0000b", "c"] });
    const organization = world.organizations.create({ name: "Acme" });
    world.distort("organization", organization.id, {
      name: "Ac\u0000me",
      organization_fields: { "k\u0000ey": "v\u0000al" },
    });
    const user = world.users.create({ name: "Jane" });
    world.distort("user", user.id, { name: "Ja\u0000ne" });
    const account = await connect(database, settled(world));
    await account.sync();
    const { tickets, organizations, users } = await stored(account);
    expect(tickets[0]?.tags).toEqual(["ab", "c"]);
    expect(organizations[0]?.name).toBe("Acme");
    expect(users.map(({ name }) => name)).toContain("Jane");
    const fields = await account.read((trx) =>
      trx.selectFrom("organization_field_value").select(["key", "value"]).execute(),
    );
    expect(fields).toEqual([{ key: "key", value: "val" }]);
  });
});

describe("text of other streams", () => {
  const dirty = "NUL\u0000 and half \ud83d";
  const clean = "NUL and half \ufffd";

  it.each(["legacy", "survey"] as const)(
    "with NUL or half a surrogate pair in the comment of a rating is clean in every table (%s)",
    async (satisfaction) => {
      const world = newWorld();
      world.settings.satisfaction = satisfaction;
      const { id } = world.tickets.create({ status: "solved" });
      world.ratings.rate(id, "bad", { comment: dirty });
      const account = await connect(database, settled(world));
      const first = await account.sync();
      world.advance(HOUR);
      world.ratings.rate(id, "good", { comment: `${dirty} again` });
      await account.sync();
      const comments = await account.read(async (trx) => ({
        now: await trx.selectFrom("satisfaction_rating").select("comment").execute(),
        former: await trx.selectFrom("former_rating").select("comment").execute(),
        told: await trx
          .selectFrom("timeline_entry")
          .select("comment")
          .where("comment", "is not", null)
          .orderBy("occurred_at")
          .execute(),
      }));
      expect(comments).toEqual({
        now: [{ comment: `${clean} again` }],
        former: [{ comment: clean }],
        told: [{ comment: clean }],
      });
      expect(await cleanedOf(account, first.runId, "satisfaction_ratings")).toBeGreaterThan(0);
      expect(await heldRows(account)).toEqual([]);
    },
  );

  it("with NUL or half a surrogate pair in the values of an event is clean", async () => {
    const world = newWorld();
    const { id } = world.tickets.create({ priority: "low" });
    world.tickets.create({ priority: "low" });
    world.advance(MINUTE);
    world.tickets.update(id, { priority: "high" });
    const audit = String(world.tickets.existing(id).audits[1]?.id);
    world.distort("ticket_event", audit, (row) => ({
      ...row,
      child_events: (row.child_events as Record<string, unknown>[]).map((child) =>
        "priority" in child ? { ...child, priority: dirty, previous_value: `${dirty} before` } : child,
      ),
    }));
    const account = await connect(database, settled(world));
    const { runId } = await account.sync();
    const events = await account.read((trx) =>
      trx
        .selectFrom("ticket_event")
        .select(["kind", "value", "previous"])
        .where("field", "=", "priority")
        .orderBy("occurred_at")
        .execute(),
    );
    expect(events).toEqual([
      { kind: "create", value: "low", previous: null },
      { kind: "create", value: "low", previous: null },
      { kind: "change", value: clean, previous: `${clean} before` },
    ]);
    expect(await cleanedOf(account, runId, "ticket_events")).toBe(2);
    expect(await heldRows(account)).toEqual([]);
  });
});

describe("ids", () => {
  it("beyond 2^53 stay apart, negative and text ones are taken as they are", async () => {
    const world = newWorld();
    const ids = ["9007199254740993", "9007199254740994", "9223372036854775807", "2147483648", "-1"];
    for (const id of ids) world.tickets.create({ id, subject: id });
    const account = await connect(database, settled(world));
    await account.sync();
    const { tickets } = await stored(account);
    expect(new Set(tickets.map(({ id }) => id))).toEqual(new Set(ids));
    for (const row of tickets) expect(row.subject).toBe(row.id);
  });

  it("given as text are the same ids", async () => {
    const { rows, state, id } = await withTicket({
      organization_id: "36000000000999",
      requester_id: "0",
      assignee_id: "",
    });
    expect(rows.find((row) => row.id === id)).toMatchObject({
      organization_id: "36000000000999",
      requester_id: null,
      assignee_id: null,
    });
    expect(state).toBe("ok");
  });

  it("that are no 64-bit integers hold their row, and the others go on", async () => {
    for (const distortion of [poison.bareId("9223372036854775808"), poison.textId("abc"), { id: null }, { id: 1.5 }]) {
      const { rows, state, held } = await withTicket(distortion);
      expect(rows).toHaveLength(2);
      expect(state).toBe("degraded");
      expect(held).toHaveLength(1);
      expect(held[0]?.payload).toContain("Ticket 2");
    }
  });
});

const manyTags = Array.from({ length: 10_000 }, (_, n) => `tag_${n}`);

describe("fields of another shape", () => {
  it.each([
    ["an object where a text was", poison.wrongType("subject"), { subject: null }],
    ["no tags", { tags: null }, { tags: [] }],
    ["tags that are a text", { tags: "a b" }, { tags: [] }],
    ["a number where a text was", { priority: 7 }, { priority: "7" }],
    [
      "nothing but id and version",
      (row: Record<string, unknown>) => ({ id: row.id, generated_timestamp: row.generated_timestamp }),
      { subject: null },
    ],
    [
      "ten unknown fields",
      Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`new_${n}`, { n }])),
      { priority: "high" },
    ],
    ["an id that is none", { organization_id: { id: 5 } }, { organization_id: null }],
    ["ten thousand tags", { tags: manyTags }, { tags: manyTags }],
    ["fields nested ten thousand deep", poison.deep(10_000, "priority"), { priority: null }],
  ])("(%s) are drift, not failure", async (_what, distortion, expected) => {
    const { rows, row } = await withTicket(distortion as Distortion);
    expect(rows).toHaveLength(3);
    expect(row).toMatchObject(expected);
  });

  it("are noted where something was lost", async () => {
    const { held, state, id } = await withTicket(poison.wrongType("subject"));
    expect(state).toBe("degraded");
    expect(held).toMatchObject([{ row_key: id, reason: expect.stringContaining("subject is not text") }]);
  });

  it("with keys that reach for the prototype change nothing but their own row", async () => {
    const world = newWorld();
    const organization = world.organizations.create({ name: "Hostile" });
    world.distort("organization", organization.id, poison.hostileField("organization_fields"));
    const ticket = world.tickets.create({ subject: "Hostile" });
    world.distort("ticket", ticket.id, poison.hostileKeys());
    const account = await connect(database, settled(world));
    await account.sync();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const fields = await account.read((trx) =>
      trx.selectFrom("organization_field_value").select("key").orderBy("key").execute(),
    );
    expect(fields.map(({ key }) => key)).toEqual(["__proto__", "constructor"]);
    expect((await stored(account)).tickets).toHaveLength(1);
  });

  it("that carry a 64-KB key leave the row and say what they left out", async () => {
    const world = newWorld();
    const organization = world.organizations.create({ name: "Long" });
    world.distort("organization", organization.id, {
      organization_fields: { ["k".repeat(65_536)]: "v", plan: "gold" },
    });
    const account = await connect(database, settled(world));
    await account.sync();
    const fields = await account.read((trx) => trx.selectFrom("organization_field_value").select("key").execute());
    expect(fields).toEqual([{ key: "plan" }]);
    expect(await heldRows(account)).toMatchObject([
      { stream: "organizations", reason: expect.stringContaining("too long") },
    ]);
  });
});

type Row = Record<string, unknown>;

/** Each list of rows, every date in it that is stored, and the columns of the table that these end in. */
interface Dated {
  path: string;
  stream: StreamName;
  table: keyof Database;
  columns: string[];
  /** The row with that instead of each of its dates. Default: instead of `created_at` and `updated_at`. */
  write?: (row: Row, value: unknown) => Row;
}
const both = (row: Row, value: unknown): Row => ({ ...row, created_at: value, updated_at: value });
const dated: Dated[] = [
  {
    path: "/incremental/tickets/cursor",
    stream: "tickets",
    table: "ticket",
    columns: ["created_at", "updated_at", "solved_at"],
    write: (row, value) => ({
      ...both(row, value),
      metric_set: { ...(row.metric_set as Row), solved_at: value },
    }),
  },
  {
    path: "/incremental/organizations",
    stream: "organizations",
    table: "organization",
    columns: ["created_at", "updated_at", "deleted_at"],
    write: (row, value) => ({ ...both(row, value), deleted_at: value }),
  },
  {
    path: "/incremental/users/cursor",
    stream: "users",
    table: "zendesk_user",
    columns: ["created_at", "updated_at"],
  },
  { path: "/groups", stream: "groups", table: "zendesk_group", columns: ["updated_at"] },
  ...["ticket", "user", "organization"].map(
    (subject): Dated => ({
      path: `/${subject}_fields`,
      stream: "fields",
      table: "field_definition",
      columns: ["updated_at"],
    }),
  ),
  { path: "/custom_statuses", stream: "fields", table: "custom_status", columns: ["updated_at"] },
  {
    path: "/satisfaction_ratings",
    stream: "satisfaction_ratings",
    table: "satisfaction_rating",
    columns: ["created_at", "updated_at", "rated_at"],
  },
  {
    path: "/guide/survey_responses",
    stream: "satisfaction_ratings",
    table: "satisfaction_rating",
    columns: ["created_at", "updated_at", "rated_at"],
    write: (row, value) => ({
      ...row,
      created_at: value,
      answers: (row.answers as Row[]).map((answer) => both(answer, value)),
    }),
  },
];

/** Something in every list. */
function worldOfAll(): World {
  const world = newWorld();
  const { id: organizationId } = world.organizations.create({ name: "Acme" });
  world.users.create({ name: "Una", organizationId });
  world.definitions.createGroup({ name: "Support" });
  for (const owner of ["ticket", "user", "organization"] as const) world.definitions.createField(owner, { key: owner });
  world.definitions.createCustomStatus({ category: "open", agentLabel: "In the workshop" });
  const [early, late] = [1, 2].map(() => world.tickets.create({ organizationId, status: "solved" }).id);
  world.ratings.rate(early as string, "good");
  Object.assign(world.settings, { satisfaction: "survey", legacyEndpoint: 200, surveyEndpoint: 200 });
  world.ratings.rate(late as string, "good", { comment: "Fine" });
  return settled(world);
}

/** The one odd form that is a date. */
const readable = (value: string | null) =>
  value === "2025-09-03 12:56:17.000000000 +0000" ? new Date("2025-09-03T12:56:17Z") : null;

describe("odd dates", () => {
  it.each(oddDates)("%j keeps the row, on every date field of every stream", async (value) => {
    const known = readable(value);
    const isNoted = known === null && Boolean(value);
    const account = await connect(database, worldOfAll());
    const shown = dated.map(({ path, write = both }) => {
      const ids = new Set<string>();
      const odd = (row: Row) => {
        ids.add(String(row.id));
        return write(row, value);
      };
      account.zendesk.faults.add(
        { path: new RegExp(`/v2${path}$`) },
        fault.changesRows("odd dates", (rows) => rows.map(odd)),
      );
      return ids;
    });
    const outcome = await account.sync();
    const held = await heldRows(account);
    for (const [n, { path, stream, table, columns }] of dated.entries()) {
      const ids = [...(shown[n] as Set<string>)];
      expect(ids.length, path).toBeGreaterThan(0);
      const rows = (await account.read((trx) =>
        trx.selectFrom(table).selectAll().where("id", "in", ids).execute(),
      )) as unknown as Row[];
      const dates = rows.map((row) => [row.id, ...columns.map((column) => row[column])]);
      expect(dates.toSorted(), path).toEqual(ids.map((id) => [id, ...columns.map(() => known)]).toSorted());
      expect(outcome.streams.find(({ name }) => name === stream)?.state, path).toBe(isNoted ? "degraded" : "ok");
      const notes = held.filter((row) => row.stream === stream && ids.some((id) => row.row_key.endsWith(id)));
      expect(notes.map(({ row_key }) => row_key).length, path).toBe(isNoted ? ids.length : 0);
      for (const { reason } of notes) expect(reason).toMatch(/^stored, but: .*updated_at is not a date/);
    }
  });

  it.each(oddDates)(
    "%j as one of the two times of an event costs nothing; as both it holds the event, unless it is a date",
    async (value) => {
      const known = readable(value);
      const world = newWorld();
      const at = new Date(world.now());
      const audits = [1, 2, 3, 4].map(() => String(world.tickets.create({}).audits[0]?.id));
      const [seconds, text, neither] = audits as [string, string, string];
      world.distort("ticket_event", seconds, { created_at: value });
      world.distort("ticket_event", text, { timestamp: value });
      world.distort("ticket_event", neither, { timestamp: value, created_at: value });
      const account = await connect(database, settled(world));
      const outcome = await account.sync();
      const rows = await account.read((trx) =>
        trx.selectFrom("ticket_event").select(["id", "occurred_at"]).where("field", "=", "created").execute(),
      );
      const times = Object.fromEntries(rows.map((row) => [row.id, row.occurred_at]));
      expect(times).toEqual({
        ...Object.fromEntries(audits.map((id) => [id, at])),
        ...(known ? { [neither]: known } : { [neither]: undefined }),
      });
      expect((await heldRows(account)).map(({ row_key }) => row_key)).toEqual(known ? [] : [neither]);
      const state = outcome.streams.find(({ name }) => name === "ticket_events")?.state;
      expect(state).toBe(known ? "ok" : "degraded");
    },
  );

  it.each(oddDates)("%j keeps a membership, which is read at night", async (value) => {
    const known = readable(value);
    const account = await connect(database, worldOfAll());
    const odd = account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("odd dates", (rows) => rows.map((row) => both(row, value))),
    );
    const outcome = await account.sync({ mode: "reconcile" });
    expect(odd.strikes).toBeGreaterThan(0);
    const { memberships } = await stored(account);
    expect(memberships.map(({ updated_at }) => updated_at)).toEqual([known]);
    const isNoted = known === null && Boolean(value);
    const note = {
      stream: "users",
      row_key: `memberships:${memberships[0]?.id}`,
      reason: expect.stringMatching(/^stored, but: updated_at is not a date/),
    };
    expect(await heldRows(account)).toMatchObject(isNoted ? [note] : []);
    expect(outcome.streams.find(({ name }) => name === "users")?.state).toBe(isNoted ? "degraded" : "ok");
  });
});

it("a membership has no version, so that one of the future is stored like any other", async () => {
  const account = await connect(database, worldOfAll());
  const future = "2026-03-02T11:00:00Z";
  account.zendesk.faults.add(
    { path: "/api/v2/organization_memberships" },
    fault.changesRows("the future", (rows) => rows.map((row) => ({ ...row, updated_at: future }))),
  );
  await account.sync({ mode: "reconcile" });
  expect((await stored(account)).memberships).toMatchObject([{ updated_at: new Date(future) }]);
  expect(await heldRows(account)).toEqual([]);
});

describe("a membership that cannot be stored", () => {
  /** Una belongs to two organizations, which was read before the list shows the first of her memberships poisoned. */
  async function poisoned(poison: Record<string, unknown>) {
    const world = worldOfAll();
    const user = world.users.list()[0]?.id as string;
    world.users.join(user, world.organizations.create({ name: "Second" }).id);
    const account = await connect(database, world);
    await account.sync({ mode: "reconcile" });
    const { memberships } = await stored(account);
    expect(memberships).toHaveLength(2);
    const shown: Record<string, unknown>[] = [];
    const poisoning = account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("a poisoned membership", (rows) =>
        rows.map((row) => {
          if (String(row.id) !== memberships[0]?.id) return row;
          shown.push({ ...row, ...poison });
          return { ...row, ...poison };
        }),
      ),
    );
    const night = async () => {
      world.advance(HOUR);
      const outcome = await account.sync({ mode: "reconcile" });
      return outcome.streams.find(({ name }) => name === "users");
    };
    return { world, account, memberships, poisoning, shown, night };
  }

  it.each([
    ["names nobody", { user_id: "nobody" }, /^user_id: is not/],
    ["has no id", { id: null }, /^it has no id/],
    ["has no organization", { organization_id: null }, /^organization_id: /],
    ["has an id that no column takes", { id: "9223372036854775808" }, /^id: is not/],
  ])(
    "since it %s is held as it came, leaves what is stored, and leaves quarantine when it is mended (row 55)",
    async (_how, poison, reason) => {
      const { world, account, memberships, poisoning, shown, night } = await poisoned(poison);
      expect(await night()).toMatchObject({ state: "degraded", failure: { code: "held_rows" } });
      expect((await stored(account)).memberships).toEqual(memberships);
      const held = await heldRows(account);
      expect(held).toMatchObject([{ stream: "users", reason: expect.stringMatching(reason) }]);
      expect(held[0]?.row_key).toMatch(/^memberships:/);
      expect(JSON.parse(held[0]?.payload ?? "")).toEqual(shown[0]);
      // Catch-ups, and whole readings of the users, do not meet it and leave it.
      world.advance(HOUR);
      await account.sync({ mode: "full" });
      expect(await heldRows(account)).toMatchObject([{ row_key: held[0]?.row_key }]);
      await night();
      expect(await heldRows(account)).toHaveLength(1);
      poisoning.remove();
      expect(await night()).toMatchObject({ state: "ok" });
      expect(await heldRows(account)).toEqual([]);
      await expectConverged(account, readAtNight);
    },
  );

  it("leaves quarantine with the membership, once a whole list shows it no more", async () => {
    const { world, account, memberships, night } = await poisoned({ user_id: "nobody" });
    await night();
    const [held] = await heldRows(account);
    const gone = memberships[0]?.id as string;
    expect(held?.row_key).toBe(`memberships:${gone}`);
    const { userId, organizationId } = world.users.memberships.get(gone) as { userId: string; organizationId: string };
    world.users.leave(userId, organizationId);
    await night();
    expect(await heldRows(account)).toEqual([]);
    expect((await stored(account)).memberships.map(({ id }) => id)).not.toContain(gone);
  });

  it("leaves quarantine where the list shows nothing else, and no name to know it by", async () => {
    const account = await connect(database, worldOfAll());
    let n = 0;
    const poisoning = account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("another nameless row each night", (rows) => rows.map((row) => ({ ...row, id: null, n: n++ }))),
    );
    for (let night = 0; night < 3; night++) {
      account.world.advance(HOUR);
      await account.sync({ mode: "reconcile" });
      expect(await heldRows(account)).toHaveLength(1);
    }
    poisoning.remove();
    account.world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(outcome.streams.find(({ name }) => name === "users")?.state).toBe("ok");
    expect(await heldRows(account)).toEqual([]);
    expect((await stored(account)).memberships).toHaveLength(1);
  });

  it("makes the users degraded at once, though Zendesk ends the night before the last page", async () => {
    const { world, account, night } = await poisoned({ user_id: "nobody" });
    const user = world.users.list()[0]?.id as string;
    for (let n = 0; n < 150; n++) world.users.join(user, world.organizations.create({ name: `O${n}` }).id);
    account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships", nth: 2 },
      fault.tooManyRequests({ retryAfter: "3600" }),
    );
    await night();
    const state = await account.read((trx) =>
      trx
        .selectFrom("stream_state")
        .select(["state", "failure_code"])
        .where("connection_id", "=", account.connectionId)
        .where("stream", "=", "users")
        .where("purpose", "=", "incremental")
        .executeTakeFirstOrThrow(),
    );
    expect(await heldRows(account)).toHaveLength(1);
    expect(state).toEqual({ state: "degraded", failure_code: "held_rows" });
  });

  it("is stored by the button once this version can", async () => {
    const { account, memberships, night } = await poisoned({ user_id: "nobody" });
    await night();
    const [held] = await heldRows(account);
    const id = memberships[0]?.id;
    const mended = (held?.payload ?? "").replace('"nobody"', String(memberships[0]?.user_id));
    await asOwner(`update held_row set payload = '${mended}'; delete from organization_membership where id = ${id}`);
    const scope = { workspaceId: account.workspaceId, connectionId: account.connectionId };
    const now = new Date(account.world.now());
    expect(await retryHeldRows(database, scope, now, "users", held?.row_key)).toEqual({ released: 1, held: 0 });
    expect((await stored(account)).memberships).toEqual(memberships);
    expect(await heldRows(account)).toEqual([]);
  });

  it("is none of hundreds: a list of which not one row is a membership is a wrong page, said and not stored", async () => {
    const world = worldOfAll();
    const user = world.users.list()[0]?.id as string;
    for (let n = 0; n < 12; n++) world.users.join(user, world.organizations.create({ name: `O${n}` }).id);
    const account = await connect(database, world);
    await account.sync({ mode: "reconcile" });
    const { memberships } = await stored(account);
    account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("nobody's memberships", (rows) => rows.map((row) => ({ ...row, user_id: null }))),
    );
    world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(outcome.streams.find(({ name }) => name === "users")).toMatchObject({
      state: "degraded",
      failure: { code: "protocol", message: expect.stringMatching(/^Memberships .* none of its 13 rows is one/) },
    });
    expect(await heldRows(account)).toEqual([]);
    expect((await stored(account)).memberships).toEqual(memberships);
  });
});

/** All but what the night alone reads. */
type ReadByEveryRun = Exclude<DistortedKind, "membership">;

describe("a poisoned row", () => {
  it("never stops its stream, leaves quarantine when it is mended, and is not held twice", async () => {
    const rows = 1000;
    const world = newWorld();
    const begin = world.now() - 2 * HOUR;
    // Each in the middle of its stream, with as many good rows on either side.
    const ids: Partial<Record<ReadByEveryRun, string>> = {};
    for (let n = 0; n < rows; n++)
      world.at(begin + n * 1000, () => {
        const ticket = world.tickets.create({ subject: `T${n}` });
        world.tickets.solve(ticket.id);
        world.ratings.rate(ticket.id, "good");
        const made = {
          ticket: ticket.id,
          ticket_event: String(ticket.audits[0]?.id),
          rating: world.ratings.legacy.all().at(-1)?.id as string,
          user: world.users.create({ name: `U${n}` }).id,
          organization: world.organizations.create({ name: `O${n}` }).id,
          group: world.definitions.createGroup({ name: `G${n}` }).id,
          field: world.definitions.createField("ticket", { key: `F${n}` }).id,
        };
        if (n === rows / 2) Object.assign(ids, made);
      });
    const nameless = { id: "no id" };
    const poisons: Record<ReadByEveryRun, Distortion> = {
      ticket: { generated_timestamp: "soon", updated_at: null },
      ticket_event: { timestamp: "soon", created_at: "soon" },
      rating: { ticket_id: "no id" },
      user: nameless,
      organization: nameless,
      group: nameless,
      field: nameless,
    };
    const kinds = Object.keys(poisons) as ReadByEveryRun[];
    for (const kind of kinds) world.distort(kind, ids[kind] as string, poisons[kind]);
    const account = await connect(database, world);
    // Events and ratings are counted apart, by the ids that Zendesk gives them.
    const byId = new Set<string>(["tickets", "organizations", "users", "groups", "fields", "customStatuses"]);
    /** Of each table the rows that are not stored, and how many of those that are stored are wrong. */
    const lacking = async () => {
      const tables = compare(await stored(account), truth(world)).filter(({ table }) => byId.has(table));
      const missing = tables.map(({ table, is, should }) => {
        const there = new Map(is.map((row) => [row.id, row]));
        const wrong = should.filter((row) => there.has(row.id) && !isDeepStrictEqual(there.get(row.id), row));
        return [table, [should.filter(({ id }) => !there.has(id)).map(({ id }) => id), wrong.length]];
      });
      const others = await account.read(async (trx) => ({
        events: (await trx.selectFrom("ticket_event").select("id").distinct().execute()).map(({ id }) => id),
        ratings: (await trx.selectFrom("satisfaction_rating").select("id").execute()).map(({ id }) => id),
      }));
      const [events, ratings] = [new Set(others.events), new Set(others.ratings)];
      // Only creations and solutions leave events.
      const audits = world.tickets.audits
        .all()
        .filter(({ changes }) => changes.some(({ field }) => field === "status"));
      return {
        ...Object.fromEntries(missing),
        events: audits.map(({ id }) => String(id)).filter((id) => !events.has(id)),
        ratings: world.ratings.legacy.all().flatMap(({ id }) => (ratings.has(id) ? [] : id)),
      };
    };
    const first = await account.sync();
    const all = ["fields", "groups", "organizations", "users", "tickets", "ticket_events", "satisfaction_ratings"];
    expect(first.streams.map(({ name, state, failure }) => [name, state, failure?.code])).toEqual(
      all.map((name) => [name, "degraded", "held_rows"]),
    );
    expect(await lacking()).toEqual({
      tickets: [[ids.ticket], 0],
      organizations: [[ids.organization], 0],
      users: [[ids.user], 0],
      groups: [[ids.group], 0],
      fields: [[ids.field], 0],
      customStatuses: [[], 0],
      events: [ids.ticket_event],
      ratings: [ids.rating],
    });
    await account.sync({ mode: "full" });
    const held = await heldRows(account);
    expect(held.map(({ stream }) => stream).toSorted()).toEqual(all.toSorted());
    const [rating] = held.filter(({ stream }) => stream === "satisfaction_ratings");
    expect([rating?.row_key, rating?.payload]).toEqual([`legacy:${ids.rating}`, expect.stringContaining('"no id"')]);

    for (const kind of kinds) world.heal(kind, ids[kind] as string);
    world.advance(HOUR);
    const last = await account.sync({ mode: "full" });
    expect(last.streams.map(({ name, state }) => [name, state])).toEqual(all.map((name) => [name, "ok"]));
    expect(await heldRows(account)).toEqual([]);
    await expectConverged(account);
    expect(await lacking()).toMatchObject({ events: [], ratings: [] });
  }, 300_000);

  it("is found by halves when the database alone refuses it", async () => {
    const world = newWorld();
    for (let n = 0; n < 33; n++)
      world.organizations.create({ name: `O${n}`, externalId: n % 16 === 7 ? `refused ${n}` : `fine ${n}` });
    const account = await connect(database, settled(world));
    await asOwner("alter table organization add constraint refuse check (external_id not like 'refused%')");
    try {
      const outcome = await account.sync();
      expect(outcome.streams.find(({ name }) => name === "organizations")?.state).toBe("degraded");
      expect((await stored(account)).organizations).toHaveLength(31);
      expect(await heldRows(account)).toMatchObject([
        { reason: expect.stringContaining("refuse") },
        { payload: expect.stringContaining("refused") },
      ]);
    } finally {
      await asOwner("alter table organization drop constraint refuse");
    }
    world.advance(HOUR);
    await account.sync({ mode: "full" });
    expect((await stored(account)).organizations).toHaveLength(33);
    expect(await heldRows(account)).toEqual([]);
  });

  it("of one page that is wrong altogether is an error, not a thousand held rows", async () => {
    const world = newWorld();
    world.tickets.create({});
    const account = await connect(database, settled(world));
    account.zendesk.faults.add(
      { path: "/api/v2/incremental/tickets/cursor" },
      fault.changesBody("rows are an object", (body) => ({ ...body, tickets: {} })),
    );
    const outcome = await account.sync();
    expect(outcome.streams.find(({ name }) => name === "tickets")).toMatchObject({
      state: "failed",
      failure: { code: "protocol" },
    });
    account.zendesk.faults.clear();
    for (let n = 0; n < 12; n++) world.tickets.create({});
    world.advance(HOUR);
    const nameless = (rows: Record<string, unknown>[]) => rows.map(({ id, ...row }) => ({ ...row, key: id }));
    account.zendesk.faults.add({ path: "/api/v2/incremental/tickets/cursor" }, fault.changesRows("no ids", nameless));
    const second = await account.sync();
    expect(second.streams.find(({ name }) => name === "tickets")).toMatchObject({
      state: "failed",
      failure: { code: "protocol" },
    });
    expect(await heldRows(account)).toEqual([]);
  });
});
