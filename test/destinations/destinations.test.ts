import { describe, expect, test } from "vitest";
import { POST as preview } from "#app/api/v1/destinations/[id]/actions/preview/route.ts";
import { GET as getActions, PUT as putActions } from "#app/api/v1/destinations/[id]/actions/route.ts";
import { GET as versions } from "#app/api/v1/destinations/[id]/actions/versions/route.ts";
import {
  PATCH as change,
  DELETE as deleteDestination,
  GET as getDestination,
} from "#app/api/v1/destinations/[id]/route.ts";
import { GET as listDestinations } from "#app/api/v1/destinations/route.ts";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import { presets } from "#lib/destinations/profiles.ts";
import { type Action, actionKeys } from "#lib/destinations/shapes.ts";
import { type Place, useDestinations } from "#test/destinations/ground.ts";

const ground = useDestinations();
const { api, database } = ground;

const body = (place: Place, more: object = {}) => ({
  connectionId: place.connectionId,
  sourceIds: [place.sourceId],
  profile: "customerio",
  ...more,
});
const actionsOf = async ({ key }: Place, id: string) =>
  (await api.call(getActions, `/api/v1/destinations/${id}/actions`, { key })).body;
const set = ({ key, enabled, trigger, mapping }: Action) => ({ key, enabled, trigger, mapping });

describe("a destination", () => {
  test("is made off, with its profile's settings and what was set otherwise, and named as its connection", async () => {
    const place = await ground.place();
    const made = await ground.create(place, body(place, { settings: { allowRemovals: false } }));
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      name: "Acme support",
      connection: { id: place.connectionId, name: "Acme support", subdomain: "acme" },
      sources: [{ id: place.sourceId, name: "Shop" }],
      sourceIds: [place.sourceId],
      settings: { ...presets.customerio, allowRemovals: false },
      enabled: false,
      state: "off",
      stopped: null,
      blocked: null,
      deliveries: { queued: 0, unknown: 0, held: 0, failed: 0, doneLastDay: 0 },
    });
    expect((await api.call(getDestination, `/api/v1/destinations/${made.body.id}`, { key: place.key })).body).toEqual(
      made.body,
    );
    expect((await api.call(listDestinations, "/api/v1/destinations", { key: place.key })).body.items).toEqual([
      made.body,
    ]);
  });

  test("needs a connection of the workspace that may be written to, and says how that is granted", async () => {
    const [reading, other] = [await ground.place({ access: "read" }), await ground.place()];
    const refused = await ground.create(reading, body(reading));
    expect([refused.status, refused.error]).toEqual([
      409,
      {
        code: "conflict",
        message: expect.stringMatching(
          /“Acme support” may only be read.*under Destinations.*“Grant writing”.*PATCH \/api\/v1\/connections\/\d+/,
        ),
      },
    ]);
    expect((await ground.create(reading, body(other))).status).toBe(404);
    const gone = await ground.place({ state: "deleted" });
    expect((await ground.create(gone, body(gone))).status).toBe(404);
  });

  test("takes sources of its workspace that are on, and tells why others cannot be (C-3)", async () => {
    const [place, other] = [await ground.place(), await ground.place()];
    const off = await ground.source(place.workspace, false);
    const refused = await ground.create(place, body(place, { sourceIds: [place.sourceId, other.sourceId, off, "x"] }));
    expect([refused.status, refused.error?.details]).toEqual([
      422,
      [
        { path: "sourceIds.1", message: "names no source of this workspace" },
        { path: "sourceIds.2", message: "“Shop” is switched off: switch it on first" },
        { path: "sourceIds.3", message: "names no source of this workspace" },
      ],
    ]);
    const id = await ground.destination(place);
    await database.inWorkspace(place.workspace, (trx) => trx.updateTable("source").set({ enabled: false }).execute());
    const kept = await api.call(change, `/api/v1/destinations/${id}`, {
      key: place.key,
      body: { sourceIds: [place.sourceId] },
    });
    expect(kept.body.sourceIds).toEqual([place.sourceId]);
  });

  test("made twice with one Idempotency-Key is one", async () => {
    const place = await ground.place();
    const headers = { "idempotency-key": "the-wizard" };
    const [one, two] = await Promise.all([1, 2].map(() => ground.create(place, body(place), { headers })));
    expect(two?.body.id).toBe(one?.body.id);
    expect((await api.call(listDestinations, "/api/v1/destinations", { key: place.key })).body.items).toHaveLength(1);
  });

  test("gets another profile's settings anew, before those that come along", async () => {
    const place = await ground.place();
    const id = await ground.destination(place, { settings: { createVerified: true } });
    const patch = (patched: object) =>
      api.call(change, `/api/v1/destinations/${id}`, { key: place.key, body: patched });
    expect((await patch({ settings: { unknownUserTraits: "ask" } })).body.settings).toEqual({
      ...presets.customerio,
      createVerified: true,
      unknownUserTraits: "ask",
    });
    const changed = (await patch({ profile: "rudderstack", settings: { associateOnGroup: false } })).body;
    expect([changed.profile, changed.settings]).toEqual([
      "rudderstack",
      { ...presets.rudderstack, associateOnGroup: false },
    ]);
    expect((await patch({ name: "Support desk", enabled: false })).body).toMatchObject({
      name: "Support desk",
      state: "off",
    });
    expect((await patch({ settings: { createVerified: "yes" } })).error?.details).toEqual([
      { path: "settings.createVerified", message: expect.stringContaining("boolean") },
    ]);
  });

  test("says why nothing is sent while its connection is disconnected, and goes on existing", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const set = (columns: object) =>
      database.inWorkspace(place.workspace, (trx) => trx.updateTable("connection").set(columns).execute());
    const blocked = async () =>
      (await api.call(getDestination, `/api/v1/destinations/${id}`, { key: place.key })).body.blocked;
    await set({ state: "disconnected" });
    expect(await blocked()).toEqual({
      code: "disconnected",
      reason: "“Acme support” is disconnected: nothing is sent.",
      fix: expect.stringContaining("Reconnect it"),
    });
    await set({ state: "paused", paused_until: new Date("2026-03-01T10:00:00Z") });
    expect(await blocked()).toEqual({
      code: "paused",
      reason: "“Acme support” is paused until 2026-03-01 10:00 UTC: nothing is read and nothing is sent.",
      fix: expect.stringMatching(/^What comes is kept queued until reading resumes\. Resume the connection/),
    });
    await set({ state: "active", access: "read" });
    const readOnly = await blocked();
    expect(readOnly?.reason).toContain("may only be read");
    // It is read on a screen, beside the button that it names.
    expect(readOnly?.fix).toMatch(/“Grant writing”/);
    expect(readOnly?.fix).not.toMatch(/PATCH|\/api\//);
    await set({
      access: "read_write",
      state: "failing",
      failure_code: "reconnect",
      failure_message: "Sign in again.",
      failure_action: "Reconnect.",
    });
    expect(await blocked()).toEqual({ code: "login", reason: "Sign in again.", fix: "Reconnect." });
  });

  test("of another workspace, or one that was deleted, is not found", async () => {
    const [place, other] = [await ground.place(), await ground.place()];
    const id = await ground.destination(place);
    expect((await api.call(getDestination, `/api/v1/destinations/${id}`, { key: other.key })).status).toBe(404);
    expect((await api.call(deleteDestination, `/api/v1/destinations/${id}`, { key: other.key })).status).toBe(404);
    expect((await api.call(getDestination, "/api/v1/destinations/99999999999", { key: place.key })).status).toBe(404);
    await api.call(deleteDestination, `/api/v1/destinations/${id}`, { key: place.key });
    expect((await api.call(getDestination, `/api/v1/destinations/${id}`, { key: place.key })).status).toBe(404);
    expect((await api.call(listDestinations, "/api/v1/destinations", { key: place.key })).body.items).toEqual([]);
  });

  test("is listed in pages", async () => {
    const place = await ground.place();
    const ids: string[] = [];
    for (let n = 1; n <= 3; n++) ids.push(await ground.destination(place, { sourceIds: [] }));
    const first = (await api.call(listDestinations, "/api/v1/destinations?limit=2", { key: place.key })).body;
    const next = `/api/v1/destinations?limit=2&cursor=${first.nextCursor}`;
    const second = (await api.call(listDestinations, next, { key: place.key })).body;
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
  });
});

describe("the actions of a destination", () => {
  const put = ({ key }: Place, id: string, body: unknown) =>
    api.call(putActions, `/api/v1/destinations/${id}/actions`, { key, body });

  test("are the six of its profile, each with its default trigger and mapping (C-6 … C-12)", async () => {
    const place = await ground.place();
    const items = await actionsOf(place, await ground.destination(place));
    expect(items.map(set)).toEqual(
      actionKeys.map((key) => ({ key, enabled: true, ...actionDefinitions[key].defaults.customerio })),
    );
    expect(new Set(items.map(({ version }) => version))).toEqual(new Set([1]));
  });

  test("are set in their order; only what differs makes a version, and former ones are kept", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const before = await actionsOf(place, id);
    expect((await put(place, id, before.map(set))).body).toEqual(before);
    expect((await put(place, id, before)).body, "as they were got").toEqual(before);
    const [user, ...others] = before.map(set);
    if (!user) throw new Error("there are six actions");
    const changed = { ...user, enabled: false, mapping: [{ to: "email", from: "$.traits.mail" }] };
    const after = (await put(place, id, [changed, ...others])).body;
    expect(after.map(({ key, version }) => [key, version])).toEqual(
      before.map(({ key }) => [key, key === "upsert_user" ? 2 : 1]),
    );
    expect(after[0]).toMatchObject({ ...changed, changedBy: "API key “test admin”" });
    const history = await api.call(versions, `/api/v1/destinations/${id}/actions/versions?limit=1`, { key: place.key });
    expect(history.body.items[0]).toMatchObject({ key: "upsert_user", version: 2, enabled: false });
    const rest = `/api/v1/destinations/${id}/actions/versions?limit=50&cursor=${history.body.nextCursor}`;
    const former = (await api.call(versions, rest, { key: place.key })).body.items;
    expect(former.find(({ key }) => key === "upsert_user")).toMatchObject({ version: 1, mapping: before[0]?.mapping });
    expect(former).toHaveLength(6);
  });

  test("tell their place in each version, so that a former order can be set again", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const before = await actionsOf(place, id);
    expect(before.map(({ position }) => position)).toEqual([0, 1, 2, 3, 4, 5]);
    await put(place, id, before.toReversed());
    const history = await api.call(versions, `/api/v1/destinations/${id}/actions/versions`, { key: place.key });
    const former = history.body.items.filter(({ version }) => version === 1);
    const taken = await put(
      place,
      id,
      former.toSorted((a, b) => a.position - b.position),
    );
    expect(taken.body.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
  });

  test("that are left out stay as they are, behind", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const before = (await actionsOf(place, id)).map(set);
    const last = before.filter(({ key }) => key === "track_event");
    const after = (await put(place, id, last)).body.map(set);
    expect(after).toEqual([...last, ...before.filter(({ key }) => key !== "track_event")]);
  });

  test("that cannot be asked or mapped are refused, each with its place, and nothing is changed", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const before = await actionsOf(place, id);
    const [user] = before.map(set);
    const refused = await put(place, id, [
      {
        ...user,
        trigger: { any: [{ field: "traits.plan", operator: "equals" }] },
        mapping: [
          { to: "role", value: "admin" },
          { to: "name", template: "{{ traits.name" },
        ],
      },
      user,
    ]);
    expect([refused.status, refused.error?.details?.map((detail) => detail.path)]).toEqual([
      422,
      ["0.trigger.any.0.field", "0.trigger.any.0.value", "0.mapping.0.to", "0.mapping.1.template", "1.key"],
    ]);
    const unknown = { ...user, trigger: { field: "type", operator: "resembles", value: "x" } };
    expect((await put(place, id, [unknown])).error?.details?.[0]?.path).toBe("0.trigger");
    expect((await put(place, id, [{ ...user, key: "delete_user" }])).error?.details?.[0]?.path).toBe("0.key");
    const deep = `${'{"not":'.repeat(20_000)}{"field":"type","operator":"exists"}${"}".repeat(20_000)}`;
    const text = JSON.stringify([{ ...user, trigger: "DEEP" }]).replace('"DEEP"', deep);
    const nested = await api.call(putActions, `/api/v1/destinations/${id}/actions`, {
      key: place.key,
      body: text,
      headers: { "content-type": "application/json" },
    });
    expect([nested.status, nested.error?.message]).toEqual([422, "The value is nested too deeply to be read."]);
    expect(await actionsOf(place, id)).toEqual(before);
  });

  test("that somebody else changed meanwhile are not overwritten unseen: it is told which, by whom and when", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const seen = (await actionsOf(place, id)).map(({ version, ...action }) => ({
      ...set({ version, ...action }),
      expectedVersion: version,
    }));
    const [user, ...others] = seen;
    if (!user) throw new Error("there are six actions");
    const ours = [{ ...user, mapping: [{ to: "email", from: "$.traits.ours" }] }, ...others];
    const theirs = [{ ...user, mapping: [{ to: "email", from: "$.traits.theirs" }] }, ...others];
    expect((await put(place, id, theirs)).status).toBe(200);
    const stored = await actionsOf(place, id);
    const refused = await put(place, id, ours);
    expect([refused.status, refused.error]).toEqual([
      409,
      {
        code: "conflict",
        message: expect.stringMatching(
          /^“Create or update user” was changed by API key “test admin” on \d{4}-\d\d-\d\d \d\d:\d\d UTC\. Nothing was saved/,
        ),
        details: [{ path: "0.expectedVersion", message: "is 1, and version 2 is stored" }],
      },
    ]);
    expect(await actionsOf(place, id)).toEqual(stored);
    // What says the same loses nothing; what names no version takes what is stored, as it always did.
    expect((await put(place, id, theirs)).status).toBe(200);
    expect(
      (
        await put(
          place,
          id,
          ours.map(({ expectedVersion: _, ...action }) => action),
        )
      ).status,
    ).toBe(200);
  });

  test("take the new profile's form where nobody changed them", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const before = (await actionsOf(place, id)).map(set);
    const own = before.map((action) =>
      action.key === "upsert_user" ? { ...action, mapping: [{ to: "email", from: "$.userId" }] } : action,
    );
    await put(place, id, own);
    await api.call(change, `/api/v1/destinations/${id}`, { key: place.key, body: { profile: "rudderstack" } });
    const after = await actionsOf(place, id);
    expect(after.find(({ key }) => key === "upsert_user")?.mapping).toEqual([{ to: "email", from: "$.userId" }]);
    expect(after.find(({ key }) => key === "update_membership")?.mapping).toEqual(
      actionDefinitions.update_membership.defaults.rudderstack.mapping,
    );
    expect(after.map(({ key, version }) => [key, version])).toEqual(
      actionKeys.map((key) => [key, key === "upsert_user" || key === "update_membership" ? 2 : 1]),
    );
  });

  test("that two people set at once are set one after the other", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const [user] = (await actionsOf(place, id)).map(set);
    const answers = await Promise.all(
      ["$.traits.a", "$.traits.b", "$.traits.c"].map((from) =>
        put(place, id, [{ ...user, mapping: [{ to: "email", from }] }]),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await actionsOf(place, id))[0]?.version).toBe(4);
  });
});

describe("a preview", () => {
  const ask = async ({ key }: Place, id: string, body: unknown) =>
    api.call(preview, `/api/v1/destinations/${id}/actions/preview`, { key, body });
  const event = { type: "identify", userId: "12", traits: { email: "ann@example.com", name: "Ann", plan: "gold" } };

  test("shows what each action would make of an event, and makes nothing", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const { items } = (await ask(place, id, { event })).body;
    expect(items.map(({ key, triggered }) => [key, triggered])).toEqual(
      actionKeys.map((key) => [key, key === "upsert_user"]),
    );
    expect(items[0]).toEqual({
      key: "upsert_user",
      enabled: true,
      triggered: true,
      fields: { email: "ann@example.com", name: "Ann", external_id: "12" },
      creation: { role: "end-user", verified: false, skip_verify_email: true },
      unmapped: { plan: "gold" },
      problems: [],
    });
    const nobody = (await ask(place, id, { event: { type: "identify", traits: {} } })).body.items[0];
    expect(nobody?.problems).toEqual([{ field: "", message: expect.stringContaining("Send traits.email") }]);
    const opened = { type: "track", event: "Ticket Created", userId: "12", properties: { comment: "Help" } };
    const ticket = (await ask(place, id, { event: opened })).body.items.find(({ key }) => key === "create_ticket");
    expect(ticket?.fields.external_id).toMatch(/given when it is sent/);
    expect(await ground.deliveries(place)).toEqual([]);
  });

  test("takes an event that was received, and actions that are not saved yet", async () => {
    const place = await ground.place();
    const id = await ground.destination(place);
    const [eventId] = await ground.receive(place, event);
    const action = {
      key: "upsert_user",
      enabled: true,
      trigger: { field: "$.traits.plan", operator: "equals", value: "gold" },
      mapping: [{ to: "name", template: "{{ traits.name | upcase }}" }],
    };
    const [first] = (await ask(place, id, { eventId, actions: [action] })).body.items;
    expect(first).toMatchObject({ triggered: true, fields: { name: "ANN" } });
    const wrong = { ...action, mapping: [{ to: "name", template: "{{ traits.name | shout }}" }] };
    expect((await ask(place, id, { eventId, actions: [wrong] })).error?.details).toEqual([
      { path: "actions.0.mapping.0.template", message: expect.stringContaining("undefined filter: shout") },
    ]);
    expect((await actionsOf(place, id))[0]?.version).toBe(1);
  });

  test("knows no event of another workspace, and needs exactly one", async () => {
    const [place, other] = [await ground.place(), await ground.place()];
    const id = await ground.destination(place);
    const [theirs] = await ground.receive(other, event);
    expect((await ask(place, id, { eventId: theirs })).status).toBe(404);
    expect((await ask(place, id, { eventId: "nonsense" })).status).toBe(404);
    expect((await ask(place, id, {})).status).toBe(422);
  });
});
