import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { getDeliveryDetail, listDeliveries } from "#lib/destinations/deliveries.ts";
import { getDestination } from "#lib/destinations/destinations.ts";
import { drainConnection } from "#lib/destinations/drain.ts";
import { dryRunDestination } from "#lib/destinations/dry-run.ts";
import { previewActions } from "#lib/destinations/preview.ts";
import { procedures as all } from "#lib/destinations/procedures/index.ts";
import { approveDelivery, countReplayable, discardDelivery, replayDeliveries } from "#lib/destinations/replay.ts";
import { forgetOldDeliveries } from "#lib/destinations/retention.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import type { Procedures } from "#lib/destinations/session.ts";
import { putActions } from "#lib/destinations/set-actions.ts";
import { type Profile, replayBody, type Settings } from "#lib/destinations/shapes.ts";
import { freeClaims } from "#lib/destinations/store/claims.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { registerSecrets } from "#lib/log.ts";
import { type Ground, makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { deliveriesOf } from "#test/destinations/chaos/once.ts";
import { slowTemplate } from "#test/destinations/slow-template.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { DAY, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { commitsThen, losesRequest } from "#test/support/zendesk/write-faults.ts";

const database = useDatabase();

interface Place extends Ground {
  zendesk: Zendesk;
  world: World;
  now: () => Date;
  /** Takes calls, routes them and sends what is due. */
  send(...calls: Record<string, unknown>[]): Promise<StoredDelivery[]>;
  drain(): Promise<unknown>;
}

async function open(
  procedures: Partial<Procedures> = {},
  { profile = "customerio", ...settings }: Partial<Settings> & { profile?: Profile } = {},
): Promise<Place> {
  const world = new World({ clock: "2026-02-01T09:00:00Z" });
  const zendesk = await startZendesk({ worlds: [world] });
  onTestFinished(() => zendesk.close());
  const ground = await makeGround(database.db, zendesk, world, profile, settings);
  const now = () => new Date(world.now());
  const sleep = async (milliseconds: number) => {
    world.advance(milliseconds);
  };
  let messages = 0;
  const place: Place = {
    ...ground,
    zendesk,
    world,
    now,
    async send(...calls) {
      const events = calls.map((payload) => ({
        messageId: `m-${++messages}`,
        type: String(payload.type) as "track",
        payload,
      }));
      if (events.length > 0) await receive(ground, events, now());
      await routeEvents(ground.ctx, ground.scope.workspaceId, now());
      await place.drain();
      return deliveriesOf(ground);
    },
    drain: () =>
      drainConnection(ground.ctx, ground.scope, {
        ...{ holder: "test@here/1/aa", clock: now, isEnding: () => false, client: { sleep } },
        procedures: { ...all, ...procedures },
      }),
  };
  return place;
}

const inPlace = <T>({ scope }: Place, work: Parameters<typeof database.inWorkspace<T>>[1]) =>
  database.inWorkspace<T>(scope.workspaceId, work);
const identify = { type: "identify", userId: "u-1", traits: { email: "ada@example.com", name: "Ada" } };
const track = { type: "track", event: "Order Placed", userId: "u-1", properties: { total: 3 } };
const replay = (place: Place, body: Parameters<typeof replayDeliveries>[2]) =>
  replayDeliveries(place.ctx, place.scope.workspaceId, body, place.now());
const decide = (place: Place, id: string, how: typeof approveDelivery, seen?: string | null) =>
  inPlace(place, (trx) => how(trx, place.scope.workspaceId, id, "ada", place.now(), seen));
const states = (deliveries: readonly StoredDelivery[]) => deliveries.map(({ state }) => state);

const setUserMapping = (place: Place, email: string, more: readonly { to: string; template: string }[] = []) =>
  inPlace(place, (trx) =>
    putActions(
      trx,
      place.scope.workspaceId,
      place.destinationId,
      [
        {
          key: "upsert_user",
          enabled: true,
          trigger: { field: "type", operator: "equals", value: "identify" },
          mapping: [{ to: "email", from: email }, { to: "name", from: "$.traits.name" }, ...more],
        },
      ],
      "ada",
      place.now(),
    ),
  );
const dryRun = (place: Place, deliveryIds: string[]) =>
  dryRunDestination(place.ctx, place.scope.workspaceId, String(place.destinationId), { deliveryIds }, place.now);

describe("replay", () => {
  test("twenty at once take a dead letter up again once, and it has one effect (row 105)", async () => {
    const place = await open();
    const refused = place.zendesk.faults.add(
      { method: "POST", path: "/api/v2/users" },
      fault.status(422, { details: {} }),
    );
    const [failed] = await place.send(identify);
    expect(failed).toMatchObject({ state: "failed", code: "refused" });
    refused.remove();
    const id = String(failed?.id);
    const answers = await Promise.all(Array.from({ length: 20 }, () => replay(place, { ids: [id] })));
    expect(answers.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(1);
    expect(answers.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(19);
    expect(await place.send()).toMatchObject([{ state: "done", attempts: 2, code: null }]);
    expect(place.zendesk.effects.of("user.created")).toHaveLength(1);
  });

  test("maps the event anew, by the action as it is set now", async () => {
    const place = await open();
    const [failed] = await place.send({
      type: "identify",
      anonymousId: "x",
      traits: { login: "ada@example.com", name: "Ada" },
    });
    expect(failed).toMatchObject({ state: "failed", code: "missing_email", attempts: 0 });
    await setUserMapping(place, "$.traits.login");
    expect(await replay(place, { filter: { state: "failed" } })).toEqual({ replayed: 1, skipped: 0 });
    expect(await place.send()).toMatchObject([{ state: "done", action_version: 2, lanes: ["m:ada@example.com"] }]);
  });

  test("takes up what the list shows under the same filters: by reason, and by a search too", async () => {
    const place = await open();
    await place.send(...["u-8", "u-9"].map((userId) => ({ ...track, userId })), {
      type: "identify",
      userId: "u-7",
      traits: { name: "No address" },
    });
    expect((await deliveriesOf(place)).map(({ code }) => code)).toEqual([
      ...["user_not_found", "user_not_found"],
      "missing_email",
    ]);
    const count = (filter: object) =>
      inPlace(place, (trx) =>
        countReplayable(trx, place.scope.workspaceId, filter).then(({ deliveries }) => deliveries),
      );
    for (const [filter, deliveries] of [
      [{ code: "user_not_found" }, 2],
      [{ code: "user_not_found", q: "u-9" }, 1],
      [{ q: "nobody" }, 0],
      [{ destinationId: "nobody's" }, 0],
    ] as const) {
      expect(await count(filter)).toBe(deliveries);
      expect(await replay(place, { filter })).toEqual({ replayed: deliveries, skipped: 0 });
      expect(states(await deliveriesOf(place)).filter((state) => state === "queued")).toHaveLength(deliveries);
      await place.drain();
    }
  });

  test("of a filter does not go beyond the number that a person has seen (row 103)", async () => {
    const place = await open();
    await place.send(...["u-8", "u-9"].map((userId) => ({ ...track, userId })));
    const filter = { code: "user_not_found" };
    const seen = await inPlace(place, (trx) => countReplayable(trx, place.scope.workspaceId, filter));
    expect(seen).toEqual({ deliveries: 2 });
    await place.send({ ...track, userId: "u-7" });
    await expect(replay(place, { filter, expected: seen.deliveries })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/leaves 3 deliveries now, more than the 2 .*Nothing was replayed/),
      details: [{ path: "expected", message: "is less than 3" }],
    });
    expect(states(await deliveriesOf(place))).toEqual(["failed", "failed", "failed"]);
    expect(await replay(place, { filter, expected: 3 })).toEqual({ replayed: 3, skipped: 0 });
    expect(replayBody.safeParse({ ids: ["1"], expected: 1 }).success).toBe(false);
  });

  test("with slow templates is more than one transaction: nobody who waits for the lanes waits for all of it (row 103)", async () => {
    const place = await open();
    await place.send(
      ...["u-1", "u-2", "u-3", "u-4"].map((userId) => ({ ...identify, userId, traits: { email: "?" } })),
    );
    // Each runs into the time that one template has; both together into that of an event, 800 ms.
    await setUserMapping(
      place,
      "$.traits.email",
      ["notes", "details"].map((to) => ({ to, template: `${slowTemplate} ${to}` })),
    );
    expect(await replay(place, { filter: { code: "invalid_email" } })).toEqual({ replayed: 4, skipped: 0 });
    const { rows } = await inPlace(place, (trx) =>
      sql<{ transactions: number; mapped: number }>`
        select count(distinct xmin::text)::int as transactions,
               (count(*) filter (where notes::text like '%too long%'))::int as mapped from delivery`.execute(trx),
    );
    expect(rows[0]?.mapped).toBe(4);
    expect(rows[0]?.transactions).toBeGreaterThan(1);
  });

  test("leaves alone what a person has discarded, unless it is named", async () => {
    const place = await open();
    const [held] = await place.send({ ...track, userId: "u-9" });
    const id = String(held?.id);
    await decide(place, id, discardDelivery);
    expect(await replay(place, { filter: { state: "failed" } })).toEqual({ replayed: 0, skipped: 0 });
    expect((await deliveriesOf(place))[0]).toMatchObject({ state: "failed", code: "discarded" });
    expect(await replay(place, { filter: { code: "discarded" } })).toEqual({ replayed: 1, skipped: 0 });
    await decide(place, id, discardDelivery);
    expect(await replay(place, { ids: [id] })).toEqual({ replayed: 1, skipped: 0 });
    expect(replayBody.safeParse({ filter: {} }).success).toBe(false);
  });

  test("a filter takes nothing to another Zendesk account, whatever it leaves; what is unknown never goes there (row 106)", async () => {
    const place = await open();
    const people = ["u-6", "u-7", "u-8", "u-9"].map((userId) => ({
      ...{ ...identify, userId },
      traits: { name: userId, email: `${userId}@example.com` },
    }));
    const users = { method: "POST", path: "/api/v2/users" };
    const refused = place.zendesk.faults.add(users, fault.status(422, { details: {} }));
    await place.send(...people);
    refused.remove();
    const former = "former#111";
    const [code, other, unknown, named] = (await deliveriesOf(place)).map(({ id }) => String(id));
    const columns = { code: "different_account", zendesk_account: former };
    await inPlace(place, async (trx) => {
      await trx.updateTable("delivery").set(columns).where("state", "=", "failed").execute();
      await trx
        .updateTable("delivery")
        .set({ code: "refused" })
        .where("id", "=", other ?? "")
        .execute();
      await trx
        .updateTable("delivery")
        .set({ state: "unknown" })
        .where("id", "=", unknown ?? "")
        .execute();
    });
    const bound = async () =>
      new Map((await deliveriesOf(place)).map((row) => [String(row.id), `${row.state} ${row.zendesk_account}`]));
    const count = await inPlace(place, (trx) => countReplayable(trx, place.scope.workspaceId, { state: "failed" }));
    expect(count).toEqual({ deliveries: 1 });
    // By its id as well: nobody was told yet that the account of this one is another.
    for (const which of [{ filter: { destinationId: String(place.destinationId) } }, { ids: [other ?? ""] }]) {
      await inPlace(place, (trx) =>
        trx.updateTable("delivery").set({ state: "failed" }).where("state", "=", "queued").execute(),
      );
      expect(await replay(place, which)).toMatchObject({ replayed: 1 });
      expect([...(await bound()).values()]).toEqual(
        ["failed", "queued", "unknown", "failed"].map((state) => `${state} ${former}`),
      );
    }
    expect((await place.send()).find(({ id }) => String(id) === other)).toMatchObject({
      ...{ state: "failed", code: "different_account" },
      fix: expect.stringMatching(/replay/),
    });
    // A person who names it says that it is the same account.
    expect(await replay(place, { ids: [named ?? "", unknown ?? ""] })).toMatchObject({ replayed: 2 });
    expect((await bound()).get(named ?? "")).not.toContain(former);
    expect((await bound()).get(unknown ?? "")).toBe(`unknown ${former}`);
    expect((await place.send()).find(({ id }) => String(id) === unknown)).toMatchObject({
      ...{ state: "unknown", code: "different_account" },
      fix: expect.stringMatching(/then discard/),
    });
    expect(place.zendesk.effects.of("user.created")).toHaveLength(1);
    expect(await replay(place, { filter: { code: "different_account" } })).toMatchObject({ replayed: 3 });
    expect((await bound()).get(code ?? "")).not.toContain(former);
    expect((await bound()).get(unknown ?? "")).toBe(`unknown ${former}`);
  });

  test("a membership that a later call has set since is not set again without a person's word", async () => {
    const place = await open();
    const { id: organizationId } = place.world.organizations.create({ name: "Northwind", externalId: "org-1" });
    const { id: userId } = place.world.users.create({ name: "Ada", email: "ada@example.com", externalId: "u-1" });
    const joins = { ...identify, traits: { ...identify.traits, company: { id: "org-1" } } };
    const memberships = { method: "POST", path: "/api/v2/organization_memberships" };
    const refused = place.zendesk.faults.add(memberships, fault.status(422, { details: {} }));
    await place.send(joins);
    refused.remove();
    const elsewhere = place.world.organizations.create({ name: "Contoso", externalId: "org-2" });
    await place.send({ ...joins, traits: { ...joins.traits, company: { id: "org-2" } } });
    const ofMembership = async () => (await deliveriesOf(place)).filter(({ action }) => action === "update_membership");
    expect(states(await ofMembership())).toEqual(["failed", "done"]);
    expect(place.world.users.membershipsOf(userId).map((row) => row.organizationId)).toEqual([elsewhere.id]);
    await place.send(joins);
    place.world.users.leave(userId, organizationId);
    const [first] = await ofMembership();
    await replay(place, { ids: [String(first?.id)] });
    await place.send();
    expect((await ofMembership())[0]).toMatchObject({ state: "held", code: "overtaken" });
    expect(place.world.users.membershipsOf(userId).map((row) => row.organizationId)).toEqual([elsewhere.id]);
  });

  test("a removal that a later group call has gone against is not done without a word on that (R-16, R-22)", async () => {
    const place = await open({}, { allowRemovals: true });
    const { id: organizationId } = place.world.organizations.create({ name: "Northwind", externalId: "org-1" });
    const { id: userId } = place.world.users.create({ name: "Ada", email: "ada@example.com", externalId: "u-1" });
    place.world.users.join(userId, organizationId);
    const leaves = { ...identify, traits: { ...identify.traits, company: { id: "org-1", remove: true } } };
    await place.send(leaves);
    await place.send({ type: "group", userId: "u-1", groupId: "org-1", traits: { name: "Northwind" } });
    const removal = async () => (await deliveriesOf(place)).find(({ action }) => action === "update_membership");
    expect(await removal()).toMatchObject({ state: "held", code: "removal" });
    await decide(place, String((await removal())?.id), approveDelivery);
    await place.drain();
    expect(await removal()).toMatchObject({ state: "held", code: "overtaken" });
    expect(place.world.users.membershipsOf(userId)).toHaveLength(1);
    await decide(place, String((await removal())?.id), approveDelivery);
    await place.drain();
    expect(await removal()).toMatchObject({ state: "done" });
    expect(place.world.users.membershipsOf(userId)).toEqual([]);
  });

  test("touches neither what is done nor what nobody knows, and leaves what may have happened unknown until it was looked up", async () => {
    const place = await open();
    await place.send(identify);
    place.zendesk.faults.add({ method: "PUT", path: "/api/v2/users/", nth: 1 }, commitsThen("502"));
    place.zendesk.faults.add({ method: "GET", path: "/api/v2/users", nth: [1, 2, 3, 4, 5] }, fault.forbidden());
    place.zendesk.faults.clear();
    const lost = place.zendesk.faults.add({ method: "PUT", path: "/api/v2/users/" }, commitsThen("502"));
    await place.send({ ...identify, traits: { ...identify.traits, name: "Ada L." } });
    lost.remove();
    const forbidden = place.zendesk.faults.add({ method: "GET", path: "/api/v2/users" }, fault.forbidden());
    place.world.advance(5 * SECOND);
    const [done, unknown] = await place.send();
    expect([done, unknown]).toMatchObject([{ state: "done" }, { state: "unknown", due_at: null }]);
    forbidden.remove();
    const ids = [String(done?.id), String(unknown?.id), "999999", "no id at all"];
    expect(await replay(place, { ids })).toEqual({ replayed: 1, skipped: 3 });
    expect(states(await deliveriesOf(place))).toEqual(["done", "unknown"]);
    expect(states(await place.send())).toEqual(["done", "done"]);
    expect(place.zendesk.effects.of("user.updated")).toHaveLength(1);
  });

  test("an old identify that is replayed writes over nothing that a later one has set", async () => {
    const place = await open();
    await place.send(identify);
    const refused = place.zendesk.faults.add({ method: "PUT", path: "/api/v2/users/", nth: 1 }, fault.status(422));
    await place.send({ ...identify, traits: { ...identify.traits, name: "Older", phone: "+1 555 0100" } });
    refused.remove();
    await place.send({ ...identify, traits: { ...identify.traits, name: "Newer" } });
    await replay(place, { filter: { state: "failed" } });
    const [, old] = await place.send();
    expect(old).toMatchObject({ state: "done" });
    expect(old?.notes.join()).toContain("A later call was done before: name stayed as it is.");
    const [user] = [...place.world.users.byId.values()].filter(({ externalId }) => externalId === "u-1");
    expect(user).toMatchObject({ name: "Newer", phone: "+1 555 0100" });
  });
});

describe("what makes others possible", () => {
  test("a track before its identify is taken up by it (R-25), within the hour and no later", async () => {
    const place = await open();
    expect(await place.send(track)).toMatchObject([{ state: "failed", code: "user_not_found" }]);
    expect(states(await place.send(identify))).toEqual(["done", "done"]);
    const late = { ...track, userId: "u-2" };
    await place.send(late);
    place.world.advance(3_600_001);
    await place.send({ ...identify, userId: "u-2", traits: { email: "bo@example.com", name: "Bo" } });
    expect(states(await deliveriesOf(place))).toEqual(["done", "done", "failed", "done"]);
  });

  const ofUser = [
    track,
    { type: "group", userId: "u-1", groupId: "g-1", traits: { name: "Giants" } },
    { type: "track", event: "Ticket Created", userId: "u-1", properties: { comment: "Help!" } },
  ];

  test.each(["customerio", "rudderstack"] as const)(
    "nothing that comes before its identify with an id only is lost: it is taken up by it (R-19, R-25, X-1; %s)",
    async (profile) => {
      const place = await open({}, { profile });
      const before = await place.send(...ofUser);
      expect(before).toMatchObject(ofUser.map(() => ({ state: "failed", code: "user_not_found" })));
      for (const { fix } of before) expect(fix).toMatch(/Identify the user.*by itself/);
      expect(states(await place.send(identify))).toEqual(["done", "done", "done", "done"]);
      expect(place.zendesk.effects.of("user.created")).toHaveLength(1);
    },
  );

  test.each([
    ["a group call", { ...ofUser[1], context: { traits: { email: "ada@example.com" } } }],
    ["a track", { ...track, properties: { email: "ada@example.com" } }],
    ["a ticket", { ...ofUser[2], properties: { comment: "Help!", email: "ada@example.com" } }],
  ])("%s that makes a user takes up what waited for them (R-25, R-26)", async (_name, call) => {
    const place = await open({}, { profile: "rudderstack" });
    expect(states(await place.send(...ofUser))).toEqual(["failed", "failed", "failed"]);
    expect(states(await place.send(call))).toEqual(["done", "done", "done", "done"]);
    expect(place.zendesk.effects.of("user.created")).toHaveLength(1);
  });

  test("a call that makes a user and then fails has made them for the others all the same (R-25)", async () => {
    const place = await open({}, { profile: "rudderstack" });
    await place.send(track);
    place.zendesk.faults.add({ method: "POST", path: "/api/v2/tickets" }, fault.status(422, { details: {} }));
    const ticket = { ...ofUser[2], properties: { comment: "Help!", email: "ada@example.com" } };
    expect(states(await place.send(ticket))).toEqual(["done", "failed"]);
  });

  test("so has one that has made them a try before the last (R-25)", async () => {
    const place = await open({}, { profile: "rudderstack" });
    await place.send(track);
    const tickets = { method: "POST", path: "/api/v2/tickets" };
    place.zendesk.faults.add({ ...tickets, nth: 1 }, fault.status(409));
    place.zendesk.faults.add(tickets, fault.status(422, { details: {} }));
    const ticket = { ...ofUser[2], properties: { comment: "Help!", email: "ada@example.com" } };
    expect(states(await place.send(ticket))).toEqual(["failed", "queued"]);
    place.world.advance(10 * SECOND);
    await place.drain();
    await place.drain();
    expect(states(await deliveriesOf(place))).toEqual(["done", "failed"]);
  });

  test("a group call that makes its organization and then fails has made it for the others all the same (R-25)", async () => {
    const place = await open();
    await place.send({ ...identify, traits: { ...identify.traits, company: { id: "acme" } } });
    const group = { type: "group", groupId: "acme", userId: "u-2", traits: { name: "Acme" } };
    expect((await place.send(group)).map(({ state, code }) => [state, code])).toEqual([
      ["done", null],
      ["done", null],
      ["failed", "user_not_found"],
    ]);
  });

  test("what came behind a held identify is taken up whenever that is approved (X-2)", async () => {
    const place = await open({}, { unknownUserTraits: "ask" });
    const early = { ...track, event: "Too Early" };
    await place.send(early);
    place.world.advance(3_600_001);
    const asked = { ...identify, traits: { ...identify.traits, plan: "pro" } };
    expect(states(await place.send(asked, ...ofUser))).toEqual(["failed", "held", "failed", "failed", "failed"]);
    place.world.advance(5 * 3_600_000);
    const held = (await deliveriesOf(place))[1];
    await decide(place, String(held?.id), approveDelivery);
    await place.drain();
    expect(states(await deliveriesOf(place))).toEqual(["failed", "done", "done", "done", "done"]);
  });

  test("an update of a ticket whose creation has waited for its user is taken up by that (R-25)", async () => {
    const place = await open();
    const properties = { external_id: "t-1", comment: "Help!" };
    const created = { type: "track", event: "Ticket Created", userId: "u-1", properties };
    const updated = { ...created, event: "Ticket Updated", properties: { ...properties, comment: "More." } };
    expect(await place.send(created, updated)).toMatchObject([
      { state: "failed", code: "user_not_found" },
      { state: "failed", code: "ticket_not_found" },
    ]);
    expect(states(await place.send(identify))).toEqual(["done", "done", "done"]);
    const [ticket] = [...place.world.tickets.byId.values()];
    expect(ticket?.audits.flatMap(({ comment }) => comment?.body ?? [])).toEqual(["Help!", "More."]);
  });

  test("a membership before the group call of its company is taken up by it (R-25), within the hour and no later", async () => {
    const place = await open();
    const joining = (id: string) => ({ ...identify, traits: { ...identify.traits, company: { id } } });
    const group = (groupId: string) => ({ type: "group", groupId, traits: { name: groupId } });
    const ofMemberships = async () =>
      states((await deliveriesOf(place)).filter((row) => row.action === "update_membership"));
    await place.send(joining("acme"), joining("globex"));
    expect(await ofMemberships()).toEqual(["failed", "failed"]);
    await place.send(group("acme"));
    expect(await ofMemberships()).toEqual(["done", "failed"]);
    place.world.advance(3_600_001);
    await place.send(group("globex"));
    expect(await ofMemberships()).toEqual(["done", "failed"]);
    expect(place.zendesk.effects.of("membership.created")).toHaveLength(1);
  });

  test("where group calls add nobody, one of the same user keeps no membership waiting (R-25, X-15)", async () => {
    const place = await open({}, { associateOnGroup: false });
    await place.send({ ...identify, traits: { ...identify.traits, company: { id: "acme" } } });
    await place.send({ type: "group", userId: "u-1", groupId: "acme", traits: { name: "Acme" } });
    expect(states(await deliveriesOf(place))).toEqual(["done", "done", "done"]);
  });

  test("an old group call that is taken up writes over nothing of a newer one that failed after it had written (R-25)", async () => {
    const place = await open();
    const group = (userId: string, name: string) => ({ type: "group", userId, groupId: "g-1", traits: { name } });
    expect(states(await place.send(group("u-1", "Older"), group("u-2", "Newer")))).toEqual(["failed", "failed"]);
    expect(states(await place.send(identify))).toEqual(["done", "failed", "done"]);
    expect(place.world.organizations.list().map(({ name }) => name)).toEqual(["Newer"]);
    expect((await deliveriesOf(place))[0]?.notes.join()).toContain("name stayed as it is");
    const [user] = place.world.users.list(({ externalId }) => externalId === "u-1");
    expect(place.world.users.membershipsOf(user?.id ?? "")).toHaveLength(1);
  });

  test("fields that a person allowed for one are there for the others that were held for them", async () => {
    const held = { state: "held", code: "unknown_traits", reason: "plan", fix: "approve" } as const;
    let isThere = false;
    const place = await open({
      upsert_user: async ({ delivery }) => {
        isThere ||= delivery.approvedFor.includes("unknown_traits");
        return isThere ? { state: "done" } : held;
      },
    });
    const others = ["u-2", "u-3"].map((userId) => ({
      ...identify,
      userId,
      traits: { email: `${userId}@example.com` },
    }));
    const [first, ...rest] = await place.send(identify, ...others);
    expect(states([first as StoredDelivery, ...rest])).toEqual(["held", "held", "held"]);
    await inPlace(place, (trx) => approveDelivery(trx, place.scope.workspaceId, String(first?.id), "ada", place.now()));
    await place.drain();
    expect(states(await deliveriesOf(place))).toEqual(["done", "done", "done"]);
  });
});

describe("a person's word", () => {
  const holding: Partial<Procedures> = {
    upsert_user: async ({ delivery }) =>
      delivery.approvedFor.includes("removal")
        ? { state: "done" }
        : {
            state: "held",
            code: "removal",
            reason: "r",
            fix: "f",
            affected: [{ id: "7", subject: "S", status: "open" }],
          },
  };
  test("approving ten times at once is one word", async () => {
    const place = await open(holding);
    const [held] = await place.send(identify);
    expect(held).toMatchObject({ state: "held", due_at: null });
    const detail = await inPlace(place, (trx) =>
      getDeliveryDetail(trx, place.ctx.config, place.scope.workspaceId, String(held?.id)),
    );
    const url = expect.stringMatching(/\/agent\/tickets\/7$/);
    expect(detail.affectedTickets).toEqual([{ id: "7", subject: "S", status: "open", url }]);
    await Promise.all(Array.from({ length: 10 }, () => decide(place, String(held?.id), approveDelivery)));
    expect(await place.send()).toMatchObject([{ state: "done", approved_by: "ada", attempts: 2 }]);
    await expect(decide(place, String(held?.id), discardDelivery)).rejects.toMatchObject({ code: "conflict" });
  });

  test.each([
    ["approved", approveDelivery, "queued"],
    ["discarded", discardDelivery, "failed"],
  ] as const)("what is held for something else than the person has read is not %s", async (_, how, after) => {
    const place = await open(holding);
    const [held] = await place.send(identify);
    for (const seen of ["unknown_traits", null]) {
      await expect(decide(place, String(held?.id), how, seen)).rejects.toMatchObject({
        code: "conflict",
        message: expect.stringContaining("held for another reason now (removal): r"),
      });
    }
    expect(await deliveriesOf(place)).toMatchObject([{ state: "held", approved_for: [] }]);
    await decide(place, String(held?.id), how, "removal");
    expect(states(await deliveriesOf(place))).toEqual([after]);
  });

  test("on a dead letter of nobody creates that one user, and what waited for them is done too (C-31)", async () => {
    const place = await open();
    const of = (userId: string) => ({ ...track, userId, properties: { email: `${userId}@example.com` } });
    const [letter] = await place.send(of("u-8"), { ...track, userId: "u-8" }, of("u-9"));
    expect(letter).toMatchObject({ state: "failed", code: "user_not_found", fix: expect.stringMatching(/approve/) });
    await decide(place, String(letter?.id), approveDelivery, "user_not_found");
    await decide(place, String(letter?.id), approveDelivery, "user_not_found");
    await place.drain();
    expect(states(await deliveriesOf(place))).toEqual(["done", "done", "failed"]);
    expect(place.zendesk.effects.of("user.created").map(({ values }) => values.external_id)).toEqual(["u-8"]);
  });

  test("on something else, said again or late, creates nobody", async () => {
    const place = await open();
    const [letter] = await place.send({ ...track, properties: { email: "ada@example.com" } });
    const id = String(letter?.id);
    const approved = { approved_for: ["external_id_differs"], approved_by: "ada", approved_at: place.now() };
    await inPlace(place, (trx) => trx.updateTable("delivery").set(approved).where("id", "=", id).execute());
    await decide(place, id, approveDelivery, "external_id_differs");
    await decide(place, id, approveDelivery);
    await expect(decide(place, id, approveDelivery, "removal")).rejects.toMatchObject({ code: "conflict" });
    expect(await deliveriesOf(place)).toMatchObject([{ state: "failed", code: "user_not_found", ...approved }]);
    await decide(place, id, approveDelivery, "user_not_found");
    await place.drain();
    expect(states(await deliveriesOf(place))).toEqual(["done"]);
  });

  test("creates nobody without an e-mail, and nobody to be removed (C-31)", async () => {
    const place = await open({}, { allowRemovals: true });
    place.world.organizations.create({ name: "Northwind", externalId: "org-1" });
    const leaves = { type: "identify", userId: "u-1", traits: { company: { id: "org-1", remove: true } } };
    const letters = await place.send(track, { ...leaves, traits: { ...leaves.traits, email: "ada@example.com" } });
    const dead = letters.filter(({ action }) => action !== "upsert_user");
    expect(dead.map(({ code }) => code)).toEqual(["user_not_found", "user_not_found"]);
    for (const { id, fix } of dead) {
      expect(fix).not.toMatch(/approve/);
      await expect(decide(place, String(id), approveDelivery)).rejects.toMatchObject({ code: "conflict" });
    }
  });

  test("what is discarded is listed as failed with who decided, and not sent; a second time changes nothing", async () => {
    const place = await open(holding);
    const [held] = await place.send(identify);
    await Promise.all([1, 2, 3].map(() => decide(place, String(held?.id), discardDelivery)));
    const [discarded] = await place.send();
    expect(discarded).toMatchObject({ state: "failed", code: "discarded", reason: "ada discarded it. Before: r" });
    await expect(decide(place, String(held?.id), approveDelivery)).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("the list", () => {
  test("filters, searches, pages newest first, and links to the page in Zendesk", async () => {
    const place = await open();
    await place.send(identify, track, {
      ...track,
      event: "Ticket Created",
      properties: { subject: "S", comment: "C" },
    });
    const list = (query: object) =>
      inPlace(place, (trx) =>
        listDeliveries(trx, place.ctx.config, place.scope.workspaceId, { limit: 50, ...query } as never),
      );
    const whole = await list({});
    expect(whole.items.map(({ action }) => action)).toEqual(["create_ticket", "track_event", "upsert_user"]);
    const [ticket, , user] = whole.items;
    expect(user).toMatchObject({ subject: "ada@example.com", state: "done", destination: { name: "Chaos" } });
    expect(ticket?.result?.url).toMatch(/\/agent\/tickets\/\d+$/);
    const found = async (query: object) => (await list(query)).items.map(({ messageId }) => messageId);
    expect(await found({ messageId: "m-2" })).toEqual(["m-2"]);
    expect(await found({ q: "ADA@example" })).toEqual(["m-1"]);
    expect(await found({ q: ticket?.result?.id })).toEqual(["m-3"]);
    expect(await found({ action: "track_event", state: "done" })).toEqual(["m-2"]);
    expect(await found({ state: "failed" })).toEqual([]);
    expect(await found({ destinationId: "nobody's" })).toEqual([]);
    const first = await list({ limit: 2 });
    expect(await found({ limit: 2, cursor: first.nextCursor })).toEqual(["m-1"]);
  });

  test("one delivery is told from its event to the last exchange", async () => {
    const place = await open();
    const [delivery] = await place.send(identify);
    const detail = await inPlace(place, (trx) =>
      getDeliveryDetail(trx, place.ctx.config, place.scope.workspaceId, String(delivery?.id)),
    );
    expect(detail.event).toMatchObject({ type: "identify", payload: identify });
    expect(detail.command.fields).toMatchObject({ email: "ada@example.com", external_id: "u-1" });
    expect(detail.exchanges.at(-1)).toMatchObject({
      method: "POST",
      request: { user: { name: "Ada" } },
      status: 201,
      outcome: "done",
    });
  });

  test("no secret is told with it, wherever a trait had brought it: in event, command, exchanges or words (row 115)", async () => {
    const [canary, quoted] = ["canary-0123456789", 'canary "quoted\\" 0123456789'];
    registerSecrets([canary, quoted]);
    const place = await open();
    const traits = { ...identify.traits, phone: canary, plan: canary, nested: { key: quoted }, [quoted]: "x" };
    await place.send({ ...identify, traits }, { ...identify, userId: "u-2", traits: { email: `${canary} at home` } });
    const all = await deliveriesOf(place);
    expect(states(all)).toEqual(["done", "failed"]);
    const { ctx, scope, destinationId } = place;
    const told: unknown[] = await inPlace(place, async (trx) => [
      ...(await Promise.all(all.map(({ id }) => getDeliveryDetail(trx, ctx.config, scope.workspaceId, id)))),
      await listDeliveries(trx, ctx.config, scope.workspaceId, { limit: 50 }),
      await previewActions(
        trx,
        scope.workspaceId,
        String(destinationId),
        { eventId: String(all[0]?.event_id) },
        place.now(),
      ),
    ]);
    const ids = all.map(({ id }) => id);
    told.push(await dryRunDestination(ctx, scope.workspaceId, String(destinationId), { deliveryIds: ids }, place.now));
    const text = JSON.stringify(told);
    expect(text).not.toContain("0123456789");
    expect(told[0]).toMatchObject({ command: { fields: { phone: "[secret]" }, unmapped: { plan: "[secret]" } } });
  });

  test("what is done goes after a month, what has failed after three, with what was said", async () => {
    const place = await open();
    await place.send(identify, { ...track, userId: "u-9" });
    const thin = (days: number) =>
      forgetOldDeliveries(database.db, place.scope.workspaceId, new Date(place.world.now() + days * DAY), () => false);
    await thin(29);
    expect(states(await deliveriesOf(place))).toEqual(["done", "failed"]);
    await thin(31);
    expect(states(await deliveriesOf(place))).toEqual(["failed"]);
    await thin(91);
    expect(await deliveriesOf(place)).toEqual([]);
    for (const table of ["delivery_exchange", "delivery_lane"] as const)
      expect(await inPlace(place, (trx) => trx.selectFrom(table).select("delivery_id").execute())).toEqual([]);
  });
});

test("whom we have written just now is found, though the search is late (C-28, C-30)", async () => {
  const place = await open();
  place.world.settings.searchLag = 60 * SECOND;
  const { userId: _, ...byEmail } = identify;
  const { userId: __, ...paid } = track;
  await place.send({ ...byEmail, anonymousId: "x" });
  const sent = await place.send({ ...paid, anonymousId: "x", properties: { email: "ADA@example.com" } });
  expect(states(sent)).toEqual(["done", "done"]);
  const stranger = await place.send({ ...paid, anonymousId: "x", properties: { email: "bo@example.com" } });
  expect(stranger[2]).toMatchObject({ state: "failed", code: "user_not_found" });
});

test("what is unknown says at every moment what a person can do: replay or discard, and nothing else (row 96)", async () => {
  const place = await open();
  const told = async () => {
    const [{ id = "" } = {}] = await deliveriesOf(place);
    return inPlace(place, (trx) => getDeliveryDetail(trx, place.ctx.config, place.scope.workspaceId, id));
  };
  place.zendesk.faults.add({ method: "POST", path: "/api/v2/users" }, losesRequest("502"));
  const [unknown] = await place.send(identify);
  const waits = await told();
  expect(waits).toMatchObject({ state: "unknown", dueAt: expect.any(String), fix: expect.stringMatching(byItself) });
  await expect(decide(place, String(unknown?.id), approveDelivery)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringMatching(/is unknown: .*replay it, or discard it/),
  });
  // The look-up itself has to wait.
  place.zendesk.faults.add({ method: "GET", path: "/api/v2/users" }, fault.tooManyRequests({ retryAfter: "90" }));
  place.world.advance(5 * SECOND);
  await place.drain();
  expect(await told()).toMatchObject({ state: "unknown", code: "rate_limited", fix: expect.stringMatching(byItself) });
  // The process that looks dies, and has said nothing.
  await inPlace(place, (trx) => trx.updateTable("delivery").set({ reason: null, fix: null, code: null }).execute());
  expect(await told()).toMatchObject({ reason: expect.stringMatching(/answer/), fix: expect.stringMatching(byItself) });
  await replay(place, { ids: [String(unknown?.id)] });
  expect(await told()).toMatchObject({ state: "unknown", fix: expect.stringMatching(byItself) });
  // Left to a person.
  await inPlace(place, (trx) => trx.updateTable("delivery").set({ due_at: null }).execute());
  expect((await told()).fix).toMatch(/^Look in Zendesk.*Replay.*discard/);
  await decide(place, String(unknown?.id), discardDelivery);
  expect(await told()).toMatchObject({ state: "failed", code: "discarded" });
});

const byItself = /looked up in Zendesk by itself.*Replay .*discard/;

test("what was not tried yet says what it waits for", async () => {
  const place = await open();
  const reasons = async () => {
    const page = { limit: 10, cursor: undefined };
    const { items } = await inPlace(place, (trx) =>
      listDeliveries(trx, place.ctx.config, place.scope.workspaceId, page),
    );
    return items.map(({ reason }) => reason);
  };
  const set = (columns: { stopped_at: Date | null }) =>
    inPlace(place, (trx) =>
      trx.updateTable("destination").set(columns).where("id", "=", Number(place.destinationId)).execute(),
    );
  await set({ stopped_at: place.now() });
  await place.send(identify, { ...track });
  expect(await reasons()).toEqual(Array(2).fill("The destination was stopped. It stays queued."));
  await set({ stopped_at: null });
  const [first] = await deliveriesOf(place);
  expect(await reasons()).toEqual([
    `Delivery ${first?.id}, of the same user, organization or ticket, goes first.`,
    null,
  ]);
});

test("what waits for its connection says how that stands and what to do, whatever came of the last try", async () => {
  const place = await open();
  const connection = (columns: object) => inPlace(place, (trx) => trx.updateTable("connection").set(columns).execute());
  const told = async () => {
    const { items } = await inPlace(place, (trx) =>
      listDeliveries(trx, place.ctx.config, place.scope.workspaceId, { limit: 1, cursor: undefined }),
    );
    return items.map(({ state, reason, fix }) => `${state}: ${reason} ${fix}`)[0];
  };
  place.zendesk.faults.add({ path: "/api/v2/" }, fault.reset("accept"));
  await place.send(identify);
  // Advice about a write, not about reading.
  expect(await told()).toMatch(
    /^queued: Zendesk cannot be reached at .*nothing is lost, and it is tried again by itself/,
  );
  expect(await told()).not.toMatch(/reading/);
  await connection({ state: "paused", paused_until: new Date("2026-03-01T10:00:00Z") });
  expect(await told()).toMatch(/is paused until 2026-03-01 10:00 UTC: .* Resume the connection/);
  await connection({ state: "disconnected", paused_until: null });
  expect(await told()).toMatch(/is disconnected: nothing is sent\. Reconnect it/);
  const failure = { failure_code: "reconnect", failure_message: "Sign in again.", failure_action: "Reconnect." };
  await connection({ state: "failing", ...failure });
  expect(await told()).toBe("queued: Sign in again. Reconnect.");
  expect(await told()).not.toMatch(/own notice/);
});

test("a destination tells that Zendesk does not answer from the third try in vain on, until something is done", async () => {
  const place = await open();
  const unanswered = async () => {
    const { workspaceId } = place.scope;
    const one = await inPlace(place, (trx) =>
      getDestination(trx, workspaceId, String(place.destinationId), place.now()),
    );
    return one.unanswered;
  };
  const broken = place.zendesk.faults.add({ path: "/api/v2/" }, fault.reset("accept"));
  const tries: boolean[] = [];
  await place.send(identify);
  for (let round = 1; round <= 3; round++) {
    tries.push((await unanswered()) !== null);
    place.world.advance(60 * SECOND);
    await place.drain();
  }
  expect(tries).toEqual([false, false, true]);
  expect(await unanswered()).toMatchObject({ fix: expect.stringMatching(/Nothing is lost.*tried again by itself/) });
  broken.remove();
  // Its own next try is still to come when another write goes through.
  place.world.advance(SECOND);
  await place.send({ ...identify, userId: "u-2", traits: { email: "bo@example.com", name: "Bo" } });
  expect(states(await deliveriesOf(place))).toEqual(["queued", "done"]);
  expect(await unanswered()).toBeNull();
});

describe("a dry run", () => {
  test("tells what would be created and changed, and writes nothing there or here", async () => {
    const place = await open();
    await place.send(identify);
    const rows = async () => (await deliveriesOf(place)).length;
    const [before, effects] = [await rows(), place.zendesk.effects.entries.length];
    const run = (event: Record<string, unknown>) =>
      dryRunDestination(place.ctx, place.scope.workspaceId, String(place.destinationId), { event } as never, place.now);
    const created = await run({ ...identify, userId: "u-2", traits: { email: "bo@example.com", name: "Bo" } });
    expect(created.counts).toEqual({ create: 1, change: 0, remove: 0, none: 0, failed: 0, held: 0, unknown: 0 });
    const changed = await run({ ...identify, traits: { ...identify.traits, name: "Ada L." } });
    expect(changed.counts).toMatchObject({ create: 0, change: 1 });
    expect(changed.items[0]?.intents[0]?.changes).toEqual([{ field: "name", from: "Ada", to: "Ada L." }]);
    expect((await run(identify)).counts).toMatchObject({ change: 0, none: 1 });
    const unknown = await run({ ...track, userId: "u-9" });
    expect(unknown).toMatchObject({ counts: { failed: 1 }, items: [{ action: "track_event", state: "failed" }] });
    expect([await rows(), place.zendesk.effects.entries.length]).toEqual([before, effects]);
  });

  test("of deliveries that exist tells how they would end now", async () => {
    const place = await open();
    const [failed] = await place.send(track);
    await place.send({ ...identify, userId: "u-7" });
    const ids = (await deliveriesOf(place)).map(({ id }) => id);
    const told = await dryRunDestination(
      place.ctx,
      place.scope.workspaceId,
      String(place.destinationId),
      { deliveryIds: ids },
      place.now,
    );
    expect(told.items.map(({ state }) => state)).toEqual(["failed", "done"]);
    expect(failed?.attempts).toBe(1);
    const missing = { deliveryIds: [...ids, "424242"] };
    await expect(
      dryRunDestination(place.ctx, place.scope.workspaceId, String(place.destinationId), missing, place.now),
    ).rejects.toMatchObject({ code: "not_found" });
  });

  test("of a dead letter maps the event anew, as its replay does", async () => {
    const place = await open();
    const event = { type: "identify", anonymousId: "x", traits: { login: "ada@example.com", name: "Ada" } };
    const [failed] = await place.send(event);
    const id = String(failed?.id);
    expect((await dryRun(place, [id])).items).toMatchObject([{ state: "failed", reason: failed?.reason }]);
    await setUserMapping(place, "$.traits.login");
    const mended = await dryRun(place, [id]);
    expect(mended.items).toMatchObject([
      { state: "done", intents: [{ verb: "create", what: "user ada@example.com" }] },
    ]);
    await setUserMapping(place, "$.traits.name");
    const [wrong] = (await dryRun(place, [id])).items;
    expect(wrong).toMatchObject({ state: "failed", reason: "“Ada” is no e-mail address." });
    await replay(place, { ids: [id] });
    expect((await deliveriesOf(place))[0]).toMatchObject({ state: "failed", reason: wrong?.reason, fix: wrong?.fix });
  });

  test("of what nobody can tell says so beside the others, and does not end them all", async () => {
    const place = await open();
    place.world.users.create({ name: "Ada", email: "ada@example.com", externalId: "u-1" });
    const lost = place.zendesk.faults.add({ method: "POST", path: /\/events$/ }, losesRequest("502"));
    await place.send(track, { ...identify, userId: "u-2", traits: { email: "bo@example.com", name: "Bo" } });
    lost.remove();
    const all = await deliveriesOf(place);
    expect(states(all)).toEqual(["unknown", "done"]);
    const ids = all.map(({ id }) => id);
    const told = await dryRun(place, ids);
    expect(told).toMatchObject({
      counts: { create: 0, none: 1, failed: 0, unknown: 1 },
      items: [
        {
          state: "unknown",
          reason: "Cannot be told: Zendesk may have taken the event, and does not show it yet.",
          intents: [],
        },
        { state: "done" },
      ],
    });
    expect((await dryRun(place, ids.slice(0, 1))).counts).toMatchObject({ unknown: 1 });
    place.zendesk.faults.add({ method: "GET", path: "/api/v2/users" }, fault.status(503));
    await expect(dryRun(place, ids)).rejects.toMatchObject({ code: "upstream" });
  });

  test("ends in time where Zendesk does not answer, with words, and writes nothing", async () => {
    const place = await open();
    place.zendesk.faults.add({ path: "/api/v2/" }, fault.hang());
    const { ctx, scope, destinationId, now } = place;
    const asked = dryRunDestination(
      ctx,
      scope.workspaceId,
      String(destinationId),
      { event: { ...identify, type: "identify" } },
      now,
      400,
    );
    await expect(asked).rejects.toMatchObject({
      code: "upstream",
      message: expect.stringMatching(
        /^Zendesk does not answer within 0\.4 seconds; nothing was written\. Check .*firewall/,
      ),
    });
  });
});

describe("what a process that died had in hand", () => {
  /** Its destination is stopped: nobody goes on with it by themselves. */
  async function leftBy(claimed_until: Date | null) {
    const place = await open();
    // Each dies: the first after its write was sent, the other before.
    const people = ["u-1", "u-2"].map((userId) => ({
      ...{ ...identify, userId },
      traits: { name: userId, email: `${userId}@example.com` },
    }));
    const ends = [losesRequest("502"), fault.status(422, { details: {} })];
    for (const [index, how] of ends.entries()) {
      const rule = place.zendesk.faults.add({ method: "POST", path: "/api/v2/users" }, how);
      await place.send(people[index] ?? {});
      rule.remove();
    }
    const [afterwards, before] = (await deliveriesOf(place)).map(({ id }) => String(id));
    const left = { state: "sending", claimed_by: "dead@host/1/aa/1", claimed_until, due_at: place.now() };
    await inPlace(place, async (trx) => {
      await trx.updateTable("delivery").set(left).execute();
      await trx.updateTable("delivery_exchange").set({ outcome: "open" }).where("outcome", "=", "unknown").execute();
      await trx.updateTable("destination").set({ stopped_at: place.now() }).execute();
    });
    return { place, afterwards: afterwards ?? "", before: before ?? "" };
  }
  const over = new Date("2026-02-01T08:55:00Z");

  test.each([
    ["over", over],
    ["gone", null],
  ])("can be decided about once its claim is %s: what may have been written is unknown", async (_, until) => {
    const { place, afterwards, before } = await leftBy(until);
    expect(await replay(place, { ids: [afterwards] })).toEqual({ replayed: 1, skipped: 0 });
    await decide(place, before, discardDelivery);
    const found = new Map((await deliveriesOf(place)).map((delivery) => [delivery.id, delivery]));
    const free = { claimed_by: null, claimed_until: null };
    expect(found.get(afterwards)).toMatchObject({ state: "unknown", ...free });
    expect(found.get(before)).toMatchObject({ state: "failed", code: "discarded", ...free });
  });

  test("is its own as long as its claim lasts, by whichever clock", async () => {
    for (const until of [new Date("2026-02-01T09:10:00Z"), new Date(Date.now() + 60_000)]) {
      const { place, afterwards } = await leftBy(until);
      expect(await replay(place, { ids: [afterwards] })).toEqual({ replayed: 0, skipped: 1 });
      await expect(decide(place, afterwards, discardDelivery)).rejects.toMatchObject({ code: "conflict" });
    }
  });

  test("is queued again, or unknown, as soon as it is known to be dead or its claim is over", async () => {
    for (const [dead, until] of [
      [["dead@host/1/aa/1"], new Date("2026-02-01T09:10:00Z")],
      [[], over],
    ] as const) {
      const { place, afterwards, before } = await leftBy(until);
      await inPlace(place, (trx) => freeClaims(trx, place.scope.workspaceId, dead, place.now()));
      const found = (await deliveriesOf(place)).map(({ id, state, claimed_until }) => [id, { state, claimed_until }]);
      expect(Object.fromEntries(found)).toEqual({
        [afterwards]: { state: "unknown", claimed_until: null },
        [before]: { state: "queued", claimed_until: null },
      });
    }
  });

  test("and that lives on writes no verdict over a person's decision, and nothing to Zendesk", async () => {
    let goOn = () => {};
    const decided = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isUnderWay = () => {};
    const underWay = new Promise<void>((resolve) => {
      isUnderWay = resolve;
    });
    const place = await open({
      upsert_user: async (attempt) => {
        isUnderWay();
        await decided;
        return all.upsert_user(attempt);
      },
    });
    const sending = place.send(identify);
    await underWay;
    const [{ id = "" } = {}] = await deliveriesOf(place);
    await expect(decide(place, id, discardDelivery)).rejects.toMatchObject({ code: "conflict" });
    await inPlace(place, (trx) => trx.updateTable("delivery").set({ claimed_until: over }).execute());
    await decide(place, id, discardDelivery);
    goOn();
    expect(await sending).toMatchObject([{ state: "failed", code: "discarded", claimed_by: null }]);
    expect(place.zendesk.effects.of("user.created")).toEqual([]);
  });
});
