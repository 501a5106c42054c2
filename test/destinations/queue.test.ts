import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { Procedure } from "#lib/destinations/attempt.ts";
import { rebindDeliveries } from "#lib/destinations/barred.ts";
import { replayDeliveries } from "#lib/destinations/replay.ts";
import { registerSecrets } from "#lib/log.ts";
import { baseUrl } from "#lib/zendesk/address.ts";
import { readBudgets } from "#lib/zendesk/limits.ts";
import { ensureOrganization, openQueue, organization } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { HOUR, MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { answersOther, commitsThen, conflict, type Lost, losesRequest } from "#test/support/zendesk/write-faults.ts";
import { smallWorld } from "#test/webhooks/linked.ts";

const database = useDatabase();
const open = (procedure: Procedure = ensureOrganization) =>
  openQueue(database, undefined, { procedures: { upsert_organization: procedure } });
type Queue = Awaited<ReturnType<typeof open>>;

const writes = { method: "POST", path: "/api/v2/organizations" };
const created = ({ zendesk }: Queue) =>
  zendesk.effects.of("organization.created").map(({ values }) => values.external_id);
const sent = ({ zendesk }: Queue) => zendesk.journal.entries.filter(({ method }) => method !== "GET");

describe("a delivery", () => {
  test("is looked up, written once, and told with everything that was said to Zendesk", async () => {
    const queue = await open();
    const [id = ""] = await queue.queue(organization("a1", "Alpha"));
    await queue.drain();
    const effects = queue.zendesk.effects.of("organization.created");
    expect(effects).toMatchObject([{ values: { name: "Alpha", external_id: "a1" } }]);
    expect(await queue.delivery(id)).toMatchObject({
      ...{ state: "done", attempts: 1, result_kind: "organization", result_id: effects[0]?.id },
      ...{ due_at: null, claimed_by: null, claimed_until: null },
    });
    expect(await queue.exchanges(id)).toMatchObject([
      { attempt: 1, isWrite: false, method: "GET", path: "/api/v2/organizations/search?external_id=a1", status: 200 },
      { attempt: 1, isWrite: true, method: "POST", path: "/api/v2/organizations", status: 201, outcome: "done" },
    ]);
  });

  test("is noted as open before it is sent", async () => {
    const queue = await open();
    const [id = ""] = await queue.queue(organization("a1"));
    let noted: unknown;
    queue.zendesk.faults.before(writes, async () => {
      noted = (await queue.exchanges(id)).map(({ method, outcome }) => ({ method, outcome }));
    });
    await queue.drain();
    expect(noted).toEqual([
      { method: "GET", outcome: "done" },
      { method: "POST", outcome: "open" },
    ]);
  });

  test("keeps no secret and no long text of what was said", async () => {
    const queue = await open();
    registerSecrets(["hush-hush-hush"]);
    const [id = ""] = await queue.queue(organization("a1", "Alpha", `hush-hush-hush ${"x".repeat(40_000)}`));
    await queue.drain();
    const post = (await queue.exchanges(id)).find(({ isWrite }) => isWrite);
    expect(post?.request).toMatch(/^.{40,100}\[secret\] x+… \(cut\)$/);
    for (const text of [post?.request, post?.response]) expect(text?.length).toBeLessThan(17_000);
    expect(JSON.stringify(await queue.exchanges(id))).not.toMatch(/hush-hush|bearer/i);
  });
});

describe("order", () => {
  test("the deliveries of a lane go one after the other, in the order in which they were queued", async () => {
    const queue = await open();
    const names = Array.from({ length: 6 }, (_, index) => `Name ${index}`);
    await queue.queue(...names.map((name) => organization("a1", name)));
    await queue.drain();
    const effects = queue.zendesk.effects.of("organization").map(({ values }) => values.name);
    expect(effects).toEqual(names);
  });

  test("what waits holds up its lane and no other; what has failed holds up none", async () => {
    const queue = await open();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, conflict());
    queue.zendesk.faults.add({ ...writes, nth: 2 }, fault.status(422, { error: "RecordInvalid", details: {} }));
    const [first = "", refused = "", second = "", third = "", other = ""] = await queue.queue(
      organization("a1", "One"),
      organization("b1", "Bad"),
      organization("a1", "Two"),
      organization("b1", "Good"),
      organization("c1", "Free"),
    );
    // One at a time, so that the faults meet whom they are meant for.
    for (const id of [first, refused, second, third, other]) await queue.drain({}, [id]);
    const states = async () =>
      Promise.all([first, refused, second, third, other].map(async (id) => (await queue.delivery(id)).state));
    expect(await states()).toEqual(["queued", "failed", "queued", "done", "done"]);
    queue.world.advance(10 * SECOND);
    await queue.drain();
    expect(await states()).toEqual(["done", "failed", "done", "done", "done"]);
    expect(queue.world.organizations.list().map(({ name }) => name)).toContain("Two");
  });

  test("what is taken up again late does not run beside a newer one of its lane that is under way", async () => {
    const told: string[] = [];
    const queue = await open(async ({ delivery: { id } }) => {
      told.push(`begin ${id}`);
      if (id === late && told.length === 1) return { state: "failed", code: "c", reason: "r", fix: "f" };
      if (id === newer) {
        await replayDeliveries(queue.ctx, queue.scope.workspaceId, { ids: [late] }, queue.clock());
        await queue.drain({ holder: "two@test/2/bb" });
        expect(await queue.delivery(late)).toMatchObject({ state: "queued" });
      }
      told.push(`end ${id}`);
      return { state: "done" };
    });
    const [late = "", newer = "", behind = ""] = await queue.queue(
      organization("a1"),
      organization("a1"),
      organization("a1"),
    );
    await queue.drain();
    const whole = [newer, late, behind].flatMap((id) => [`begin ${id}`, `end ${id}`]);
    expect(told).toEqual([`begin ${late}`, ...whole]);
  });

  test("at most four of an account are under way, also for two processes", async () => {
    let running = 0;
    let most = 0;
    const queue = await open(async (attempt) => {
      most = Math.max(most, ++running);
      try {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return await ensureOrganization(attempt);
      } finally {
        running--;
      }
    });
    await queue.queue(...Array.from({ length: 24 }, (_, index) => organization(`a${index}`)));
    await Promise.all([queue.drain({ holder: "one@test/1/aa" }), queue.drain({ holder: "two@test/2/bb" })]);
    expect(most).toBe(4);
    expect(created(queue).toSorted()).toEqual(Array.from({ length: 24 }, (_, index) => `a${index}`).toSorted());
  });

  test("the same command is one, however many ask for it at once (row 105)", async () => {
    const queue = await open();
    const asked = await Promise.all(
      Array.from({ length: 20 }, () => queue.queue({ ...organization("a1"), commandKey: "the same" })),
    );
    expect(asked.flat()).toHaveLength(1);
  });
});

describe("an answer that is lost (row 96)", () => {
  const lost: Lost[] = ["reset", "cut", "502", "504", "html", "empty", "timeout"];
  const deadlines = { headers: 150, idle: 150, total: 200 };

  test.each(lost)("is unknown at once after %s; it is looked up, and not written again", async (kind) => {
    const queue = await open();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, commitsThen(kind));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain({ client: { deadlines } });
    expect(await queue.delivery(id)).toMatchObject({
      ...{ state: "unknown", code: "outcome_unknown", attempts: 1 },
      due_at: new Date(queue.world.now() + 5 * SECOND),
    });
    expect((await queue.exchanges(id)).at(-1)).toMatchObject({ isWrite: true, outcome: "unknown" });
    queue.world.advance(5 * SECOND);
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "done", attempts: 2, code: null });
    expect(created(queue)).toEqual(["a1"]);
    expect(sent(queue)).toHaveLength(1);
  });

  test("is written again when the look-up finds that nothing was done", async () => {
    const queue = await open();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, losesRequest("reset"));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    queue.world.advance(5 * SECOND);
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "done" });
    expect(created(queue)).toEqual(["a1"]);
    expect(sent(queue)).toHaveLength(2);
  });

  test("is looked up later each time, then left to a person", async () => {
    const queue = await open();
    queue.zendesk.faults.add(writes, commitsThen("502"));
    const [id = "", behind = ""] = await queue.queue(organization("a1"), organization("a1"));
    await queue.drain();
    queue.zendesk.faults.add({ method: "GET", path: "/api/v2/organizations/search" }, fault.forbidden());
    queue.world.advance(5 * SECOND);
    await queue.drain({}, [id]);
    expect(await queue.delivery(id)).toMatchObject({ state: "unknown", due_at: null, code: "forbidden" });
    expect((await queue.delivery(id)).fix).toMatch(/replay/i);
    // It holds nobody up any more.
    queue.zendesk.faults.clear();
    await queue.drain();
    expect(await queue.delivery(behind)).toMatchObject({ state: "done" });
  });

  test("stays unknown where the next look ends in a refusal, which says nothing about it", async () => {
    const refusal = { state: "failed", code: "gone", reason: "It is gone.", fix: "Send it anew." } as const;
    const queue = await open(async (attempt) => (attempt.earlier.length > 0 ? refusal : ensureOrganization(attempt)));
    queue.zendesk.faults.add(writes, commitsThen("502"));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    queue.world.advance(5 * SECOND);
    await queue.drain();
    const { state, code, due_at, reason, fix } = await queue.delivery(id);
    expect({ state, code, due_at }).toEqual({ state: "unknown", code: "gone", due_at: null });
    expect(reason).toMatch(/^It is gone\. What an earlier try has done could not be looked up/);
    expect(fix).toMatch(/^Send it anew\. Look in Zendesk/);
  });

  test("has failed where the next look finds what was written and the rest cannot be done; an identify takes it up (R-25)", async () => {
    const queue = await openQueue(database);
    queue.zendesk.faults.add({ ...writes, nth: 1 }, commitsThen("502"));
    const user = { email: "ann@acme.example", external_id: "u-1" };
    const group = { external_id: "a1", name: "Alpha", "user.external_id": user.external_id };
    const [id = ""] = await queue.queue({ command: { fields: group, unmapped: {} }, lanes: ["u:u-1", "o:a1"] });
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "unknown" });
    queue.world.advance(5 * SECOND);
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "failed", code: "user_not_found", due_at: null });
    const fields = { ...user, name: "Ann" };
    await queue.queue({ action: "upsert_user", command: { fields, unmapped: {} }, lanes: ["u:u-1"] });
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "done" });
    expect(queue.zendesk.effects.entries.map(({ kind }) => kind)).toEqual([
      "organization.created",
      "user.created",
      "membership.created",
    ]);
  });

  test("every look-up that loses its answer again comes later: five of them", async () => {
    const queue = await open(async ({ zendesk }) => {
      await zendesk.write(
        "again",
        "POST",
        "/api/v2/organizations",
        { organization: { name: "X" } },
        {
          expect: "organization",
          intent: { verb: "create", what: "X", zendeskId: null, changes: [] },
        },
      );
      return { state: "done" };
    });
    queue.zendesk.faults.add(writes, losesRequest("502"));
    const [id = ""] = await queue.queue(organization("a1"));
    const pauses: (number | null)[] = [];
    for (let attempt = 1; attempt <= 6; attempt++) {
      await queue.drain();
      const { due_at } = await queue.delivery(id);
      pauses.push(due_at && due_at.getTime() - queue.world.now());
      queue.world.advance(HOUR);
    }
    expect(pauses).toEqual([5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 60 * MINUTE, null]);
    expect(await queue.delivery(id)).toMatchObject({ state: "unknown", attempts: 6 });
  });

  test.each([
    [503, null],
    [503, 1],
    [503, 300],
    [408, null],
  ])(
    "what Zendesk is too busy for (%s, Retry-After %s) is sent again for hours while looking works, then left to a person (row 7)",
    async (status, told) => {
      const queue = await open();
      queue.zendesk.faults.add(writes, fault.status(status, {}, told ? { "retry-after": String(told) } : undefined));
      const [id = ""] = await queue.queue(organization("a1"));
      const began = queue.world.now();
      let tries = 0;
      for (let due: Date | null = queue.clock(); due && tries < 50; tries++) {
        queue.world.advance(Math.max(0, due.getTime() - queue.world.now()));
        await queue.drain();
        ({ due_at: due } = await queue.delivery(id));
        if (due) expect(due.getTime()).toBeGreaterThanOrEqual(queue.world.now() + (told ?? 0) * SECOND);
      }
      expect(tries).toBe(21);
      const took = queue.world.now() - began;
      expect([took > 3 * HOUR, took < 5 * HOUR]).toEqual([true, true]);
      expect(await queue.delivery(id)).toMatchObject({
        ...{ state: "unknown", code: "outcome_unknown", attempts: 21 },
        fix: expect.stringMatching(/^Look in Zendesk/),
      });
      expect(await queue.exchanges(id)).toHaveLength(42);
      expect(created(queue)).toEqual([]);
    },
  );

  test("a doubt that was looked into and sent again is a new one, with look-ups of its own", async () => {
    let isUndecided = false;
    const undecided = { state: "unknown", code: "unclear", reason: "It cannot be told.", fix: "" } as const;
    const queue = await open(async (attempt) => (isUndecided ? undecided : ensureOrganization(attempt)));
    const busy = queue.zendesk.faults.add(writes, fault.status(503));
    const [id = ""] = await queue.queue(organization("a1"));
    const next = async () => {
      await queue.drain();
      const { due_at } = await queue.delivery(id);
      const pause = due_at && due_at.getTime() - queue.world.now();
      queue.world.advance(pause ?? 0);
      return pause;
    };
    for (let attempt = 1; attempt <= 10; attempt++) expect(await next()).not.toBeNull();
    busy.remove();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, commitsThen("502"));
    expect(await next()).toBe(5 * SECOND);
    isUndecided = true;
    const looks = [await next(), await next(), await next(), await next(), await next(), await next()];
    expect(looks).toEqual([5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 60 * MINUTE, null]);
    isUndecided = false;
    await replayDeliveries(queue.ctx, queue.scope.workspaceId, { ids: [id] }, queue.clock());
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "done" });
    expect(created(queue)).toEqual(["a1"]);
  });

  test("a process that is killed after sending leaves it open: the next one looks first, and the dead one's word counts no more", async () => {
    const queue = await open();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, commitsThen("timeout"));
    const [id = ""] = await queue.queue(organization("a1"));
    let reached = () => {};
    const isSent = new Promise<void>((resolve) => {
      reached = resolve;
    });
    queue.zendesk.faults.after(writes, () => reached());
    const killed = queue.drain({
      holder: "dead@test/1/aa",
      client: { deadlines: { headers: 1500, idle: 1500, total: 1500 } },
    });
    await isSent;
    expect(await queue.drain({ holder: "next@test/2/bb" })).toMatchObject({ standstill: null });
    expect(await queue.delivery(id)).toMatchObject({ state: "sending" });
    queue.world.advance(5 * MINUTE + SECOND);
    await queue.drain({ holder: "next@test/2/bb" });
    expect(await queue.delivery(id)).toMatchObject({ state: "done", attempts: 2 });
    await killed;
    expect(await queue.delivery(id)).toMatchObject({ state: "done", attempts: 2 });
    expect(created(queue)).toEqual(["a1"]);
    expect((await queue.exchanges(id)).map(({ outcome }) => outcome)).toEqual(["done", "unknown", "done"]);
  });
});

describe("success is believed only where the answer holds what was sent (row 97)", () => {
  test("other values, or another object, are unknown until they were looked up", async () => {
    const queue = await open();
    queue.zendesk.faults.add(
      { ...writes, nth: 1 },
      answersOther("organization", { id: 7, name: "Beta", external_id: "a1" }),
    );
    const [id = ""] = await queue.queue(organization("a1", "Alpha"));
    await queue.drain();
    const unknown = await queue.delivery(id);
    expect(unknown).toMatchObject({ state: "unknown", code: "outcome_unknown" });
    expect(unknown.reason).toContain("name is “Beta” where “Alpha” was sent");
    queue.world.advance(5 * SECOND);
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "done" });
    expect(created(queue)).toEqual(["a1"]);
  });

  test.each([
    ["null", null],
    ["an empty object", {}],
    ["an object without an id", { name: "Alpha" }],
  ])("a success with %s in the place of the object is unknown until it was looked up", async (_, row) => {
    const queue = await open();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, answersOther("organization", row as never));
    const [id = ""] = await queue.queue(organization("a1", "Alpha"));
    await queue.drain();
    const unknown = await queue.delivery(id);
    expect(unknown).toMatchObject({ state: "unknown", code: "outcome_unknown" });
    expect(unknown.reason).toContain("without the organization that was sent");
    queue.world.advance(5 * SECOND);
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "done" });
    expect(created(queue)).toEqual(["a1"]);
  });

  test("what is left as it was, though Zendesk says yes each time, has failed", async () => {
    const queue = await open();
    await queue.queue(organization("a1", "Alpha", "first"));
    await queue.drain();
    const [known] = queue.world.organizations.list().slice(-1);
    const asBefore = { id: Number(known?.id), name: "Alpha", external_id: "a1", details: "first" };
    queue.zendesk.faults.add({ method: "PUT", path: "/api/v2/organizations/" }, answersOther("organization", asBefore));
    const [id = ""] = await queue.queue(organization("a1", "Alpha", "second"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "unknown" });
    queue.world.advance(5 * SECOND);
    await queue.drain();
    const { state, code, reason, fix, notes, due_at } = await queue.delivery(id);
    expect({ state, code, notes, due_at }).toEqual({ state: "failed", code: "not_taken", notes: [], due_at: null });
    expect(reason).toContain("left details as it was: details is “first” where “second” was sent");
    expect(fix).toMatch(/replay/);
  });

  test("what Zendesk keeps otherwise every time is done, and told", async () => {
    const queue = await open();
    queue.zendesk.faults.add(
      { method: "PUT", path: "/api/v2/organizations/" },
      fault.changes("normalizes", (answer) => {
        const { organization: row } = answer.json as { organization: object };
        return { ...answer, json: { organization: { ...row, details: "as Zendesk likes it" } } };
      }),
    );
    await queue.queue(organization("a1", "Alpha", "first"));
    await queue.drain();
    const [id = ""] = await queue.queue(organization("a1", "Alpha", "second"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "unknown" });
    // As it would be looked up: somebody else has changed it back.
    queue.world.organizations.update(queue.world.organizations.list().at(-1)?.id as string, { details: "first" });
    queue.world.advance(5 * SECOND);
    await queue.drain();
    const { state, notes } = await queue.delivery(id);
    expect({ state, notes }).toEqual({
      state: "done",
      notes: ["Zendesk keeps it otherwise: details is “as Zendesk likes it” where “second” was sent."],
    });
  });

  test.each([301, 302, 307, 308] as const)("a redirect (%i) is no success, and is not followed", async (code) => {
    const queue = await open();
    queue.zendesk.faults.add(writes, fault.redirect(code, "http://127.0.0.1:9/elsewhere"));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "queued", code: "account_moved" });
    expect(created(queue)).toEqual([]);
  });
});

describe("what Zendesk refuses", () => {
  test("a collision is tried again after ten seconds, a few times; then it has failed", async () => {
    const queue = await open();
    queue.zendesk.faults.add(writes, conflict());
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({
      ...{ state: "queued", code: "conflict" },
      due_at: new Date(queue.world.now() + 10 * SECOND),
    });
    for (let attempt = 0; attempt < 5; attempt++) {
      queue.world.advance(MINUTE);
      await queue.drain();
    }
    expect(await queue.delivery(id)).toMatchObject({ state: "failed", code: "conflict", attempts: 6, due_at: null });
  });

  test("a 422 is final, with Zendesk's words by field and what to do (row 100)", async () => {
    const queue = await open();
    await queue.queue(organization("a1", "Alpha"));
    await queue.drain();
    const [id = ""] = await queue.queue(organization("b1", "Alpha"));
    await queue.drain();
    const { state, code, reason, fix } = await queue.delivery(id);
    expect({ state, code }).toEqual({ state: "failed", code: "refused" });
    expect(reason).toMatch(/^Zendesk refuses it \(422\): name: .*Alpha.* \(DuplicateValue\)/);
    expect(fix).toContain("merge the two there or correct the value");
    queue.world.advance(HOUR);
    await queue.drain();
    expect(sent(queue)).toHaveLength(2);
  });

  test("a missing scope is named", async () => {
    const queue = await open();
    const description = "You are missing the following required scopes: organizations:write";
    queue.zendesk.faults.add(writes, fault.status(403, { error: "Forbidden", description }));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    const { state, code, fix } = await queue.delivery(id);
    expect({ state, code }).toEqual({ state: "failed", code: "missing_scope" });
    expect(fix).toContain("“organizations:write”");
  });

  test("a login that is rejected lets everything wait, and the connection tells; then it goes on", async () => {
    const queue = await open();
    queue.zendesk.faults.add({ path: "/api/v2/" }, fault.unauthorized());
    const ids = await queue.queue(organization("a1"), organization("b1"), organization("c1"));
    const { standstill } = await queue.drain();
    expect(standstill).not.toBeNull();
    const connection = await queue.read((trx) => trx.selectFrom("connection").selectAll().executeTakeFirstOrThrow());
    expect(connection).toMatchObject({ state: "failing", failure_code: "credentials_rejected" });
    for (const id of ids) expect(await queue.delivery(id)).toMatchObject({ state: "queued" });
    queue.world.advance(HOUR);
    const before = queue.zendesk.journal.entries.length;
    await queue.drain();
    expect(queue.zendesk.journal.entries).toHaveLength(before);
    queue.zendesk.faults.clear();
    await queue.read((trx) => trx.updateTable("connection").set({ state: "active", failure_code: null }).execute());
    await queue.drain();
    expect(created(queue).toSorted()).toEqual(["a1", "b1", "c1"]);
  });

  test.each([
    ["429", { state: "queued", code: "rate_limited", attempts: 0, retries: 0 }, []],
    [
      "503",
      { state: "unknown", code: "outcome_unknown", attempts: 1, retries: 1 },
      [{ status: 503, outcome: "unknown" }],
    ],
  ])(
    "%s: nothing is sent before the time that it names, and the rest is not tried in vain; what a 503 has done is looked up (row 96)",
    async (kind, left, kept) => {
      const queue = await open();
      const told = { "retry-after": "60" };
      queue.zendesk.faults.add(
        { ...writes, nth: [1, 2, 3, 4] },
        kind === "429" ? fault.tooManyRequests({ retryAfter: "60" }) : fault.status(503, {}, told),
      );
      const ids = await queue.queue(...Array.from({ length: 30 }, (_, index) => organization(`a${index}`)));
      const { standstill } = await queue.drain();
      expect(standstill?.getTime()).toBeGreaterThanOrEqual(queue.world.now() + 59 * SECOND);
      expect(sent(queue).length).toBeLessThanOrEqual(4);
      const first = await queue.delivery(ids[0] ?? "");
      expect(first).toMatchObject(left);
      expect(first.due_at?.getTime()).toBeGreaterThanOrEqual(queue.world.now() + 59 * SECOND);
      expect((await queue.exchanges(first.id)).filter(({ isWrite }) => isWrite)).toMatchObject(kept);
      queue.world.advance(70 * SECOND);
      for (let round = 0; round < 20; round++) {
        await queue.drain();
        queue.world.advance(70 * SECOND);
      }
      expect(created(queue)).toHaveLength(30);
    },
  );

  test("a 429 for customer events holds up these alone: the rest goes on, and they are not tried in vain (row 5)", async () => {
    const world = smallWorld();
    const user = world.users.create({ name: "Ann", email: "ann@acme.example", externalId: "u-1" });
    const limits = { sunshine: 12, now: () => world.now() };
    const queue = await openQueue(database, world, { procedures: { upsert_organization: ensureOrganization }, limits });
    const event = (n: number) => ({
      ...{ action: "track_event" as const, messageId: `e-${n}`, lanes: [`z:${n}`] },
      command: { fields: { type: "Read", "user.id": user.id }, unmapped: {} },
    });
    await queue.queue(...Array.from({ length: 60 }, (_, n) => event(n)), organization("a1"));
    const { standstill } = await queue.drain();
    expect([created(queue), standstill]).toEqual([["a1"], null]);
    const filed = () => queue.zendesk.effects.of("customer_event.received").length;
    expect(filed()).toBe(12);
    expect(queue.zendesk.journal.to(`/api/v2/users/${user.id}`).length).toBeLessThanOrEqual(40);
    expect((await readBudgets(database.db, baseUrl(queue.zendesk.url, world.subdomain))).blockedUntil).toBeNull();
    for (let minute = 0; minute < 20 && filed() < 60; minute++) {
      world.advance(MINUTE);
      await queue.drain();
    }
    expect(filed()).toBe(60);
  });

  test("an outage is waited out; what keeps failing for hours becomes a dead letter", async () => {
    const queue = await open();
    queue.zendesk.faults.add({ path: "/api/v2/organizations" }, fault.status(500));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "queued", code: "unavailable", attempts: 1 });
    for (let attempt = 0; attempt < 20; attempt++) {
      queue.world.advance(20 * MINUTE);
      await queue.drain();
    }
    expect(await queue.delivery(id)).toMatchObject({ state: "failed", code: "unavailable", attempts: 21 });
  });
});

describe("what of ours forbids a write", () => {
  test("a stop is honoured by the next write, and what is queued stays queued (row 103)", async () => {
    const queue = await open();
    const ids = await queue.queue(...Array.from({ length: 20 }, (_, index) => organization(`a${index}`)));
    let writesSeen = 0;
    queue.zendesk.faults.before(writes, async () => {
      if (++writesSeen === 3) await queue.set({ stopped_at: queue.clock() });
    });
    await queue.drain();
    expect(created(queue).length).toBeGreaterThanOrEqual(3);
    expect(created(queue).length).toBeLessThanOrEqual(7);
    const states = await Promise.all(ids.map(async (id) => (await queue.delivery(id)).state));
    expect(states.filter((state) => state === "done")).toHaveLength(created(queue).length);
    expect(states.filter((state) => state === "queued")).toHaveLength(20 - created(queue).length);
    await queue.set({ stopped_at: null });
    await queue.drain();
    expect(created(queue)).toHaveLength(20);
  });

  test("a stop keeps back what waits for its turn: of 5,000 that are queued nothing is written after it (row 103)", async () => {
    const world = smallWorld();
    const limits = { account: 60, now: () => world.now() };
    // Nothing is asked before, so that all that waits are writes.
    const create: Procedure = async ({ command: { fields }, zendesk }) => {
      const intent = { verb: "create" as const, what: String(fields.name), zendeskId: null, changes: [] };
      const body = { organization: { external_id: fields.external_id, name: fields.name } };
      await zendesk.write("create", "POST", "/api/v2/organizations", body, { expect: "organization", intent });
      return { state: "done" };
    };
    const queue = await openQueue(database, world, { procedures: { upsert_organization: create }, limits });
    const rows = Array.from({ length: 5000 }, (_, index) => organization(`a${index}`));
    for (let from = 0; from < rows.length; from += 500) await queue.queue(...rows.slice(from, from + 500));
    const underWay = () =>
      queue.read(async (trx) => {
        const open = trx.selectFrom("delivery_exchange").select("delivery_id").where("outcome", "=", "open");
        return (await open.where("workspace_id", "=", queue.scope.workspaceId).execute()).length;
      });
    let atStop = 0;
    // In the middle of a wait for the account's budget, when others may have been waiting for longer.
    const sleep = async (milliseconds: number) => {
      if (atStop === 0 && created(queue).length >= 100) {
        await queue.set({ stopped_at: queue.clock() });
        // Those that were being sent then have arrived.
        for (let looks = 0; looks < 100; looks++) {
          await pause(30);
          if ((await underWay()) === 0) break;
        }
        atStop = created(queue).length;
      }
      world.advance(milliseconds);
    };
    while (atStop === 0) {
      const { standstill } = await queue.drain({ client: { sleep } });
      if (standstill) world.advance(Math.max(0, standstill.getTime() - world.now()));
    }
    world.advance(MINUTE);
    await queue.drain({ client: { sleep } });
    expect(created(queue)).toHaveLength(atStop);
    expect(atStop).toBeLessThanOrEqual(200);
    const states = await queue.read((trx) =>
      trx
        .selectFrom("delivery")
        .select(["state", "attempts"])
        .where("destination_id", "=", queue.destinationId)
        .execute(),
    );
    expect(states.filter(({ state }) => state === "done")).toHaveLength(atStop);
    expect(states.filter(({ state, attempts }) => state === "queued" && attempts === 0)).toHaveLength(5000 - atStop);
  });

  test("a stop that comes while a rejected token is renewed leaves nothing open: nothing has happened (rows 96, 103)", async () => {
    const queue = await open();
    queue.zendesk.faults.add({ ...writes, nth: 1 }, fault.unauthorized());
    queue.zendesk.faults.before(writes, () => queue.set({ stopped_at: queue.clock() }));
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "queued", code: "stopped", attempts: 0 });
    expect((await queue.exchanges(id)).filter(({ isWrite }) => isWrite)).toEqual([]);
    expect(sent(queue).filter(({ path }) => path.startsWith(writes.path))).toHaveLength(1);
  });

  test("a destination that is off sends nothing but tests; a stopped one not even these", async () => {
    const queue = await open();
    await queue.set({ enabled: false });
    await queue.queue(organization("a1"), { ...organization("b1"), isTest: true });
    await queue.drain();
    expect(created(queue)).toEqual(["b1"]);
    await queue.set({ stopped_at: queue.clock() });
    await queue.queue({ ...organization("c1"), isTest: true });
    await queue.drain();
    expect(created(queue)).toEqual(["b1"]);
  });

  test("a paused connection sends nothing, also when the pause comes between two writes", async () => {
    const queue = await open();
    queue.zendesk.faults.before({ method: "GET", path: "/api/v2/organizations/search", nth: 1 }, async () => {
      await queue.read((trx) => trx.updateTable("connection").set({ state: "paused" }).execute());
    });
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "queued", code: "connection", attempts: 0 });
    await queue.read((trx) => trx.updateTable("connection").set({ state: "active" }).execute());
    await queue.drain();
    expect(created(queue)).toEqual(["a1"]);
  });

  test("another account, or a write grant that is gone, is found before the first write (row 106)", async () => {
    for (const [columns, code] of [
      [{ subdomain: "other" }, "different_account"],
      [{ zendesk_account_id: "99" }, "different_account"],
      [{ access: "read" }, "no_write_grant"],
    ] as const) {
      const queue = await open();
      await queue.read((trx) => trx.updateTable("connection").set({ zendesk_account_id: "42" }).execute());
      const [id = ""] = await queue.queue(organization("a1"));
      queue.zendesk.faults.before({ method: "GET", path: "/api/v2/organizations/search" }, async () => {
        await queue.read((trx) => trx.updateTable("connection").set(columns).execute());
      });
      await queue.drain();
      expect(await queue.delivery(id)).toMatchObject({ state: "failed", code });
      expect(sent(queue)).toEqual([]);
    }
  });

  test("what waits goes with a connection whose account was renamed, and what was meant for a former account does not (rows 65, 106)", async () => {
    const queue = await open();
    await queue.read((trx) => trx.updateTable("connection").set({ zendesk_account_id: "42" }).execute());
    const [mine = "", former = ""] = await queue.queue(organization("a1"), organization("b1"));
    const { subdomain: from } = await queue.read((trx) =>
      trx.selectFrom("connection").select("subdomain").executeTakeFirstOrThrow(),
    );
    await queue.read((trx) =>
      trx
        .updateTable("delivery")
        .set({ zendesk_account: `${from}#7` })
        .where("id", "=", former)
        .execute(),
    );
    await queue.read((trx) => rebindDeliveries(trx, queue.scope, { from, to: "renamed" }));
    expect((await queue.delivery(mine)).zendesk_account).toBe("renamed#42");
    expect((await queue.delivery(former)).zendesk_account).toBe(`${from}#7`);
  });

  test("somebody else behind the subdomain is found before the first write, and the connection tells (rows 64, 106)", async () => {
    const queue = await open();
    await queue.read((trx) =>
      trx.updateTable("connection").set({ login_id: "1", login_email: "x@y.example" }).execute(),
    );
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "queued", code: "different_account" });
    expect(sent(queue)).toEqual([]);
    const connection = await queue.read((trx) => trx.selectFrom("connection").selectAll().executeTakeFirstOrThrow());
    expect(connection).toMatchObject({ state: "failing", failure_code: "different_account" });
  });

  test("a process that stops ends with the request in hand; the rest stays queued", async () => {
    const queue = await open();
    let isEnding = false;
    queue.zendesk.faults.before({ method: "GET", path: "/api/v2/organizations/search" }, () => {
      isEnding = true;
    });
    const ids = await queue.queue(organization("a1"), organization("b1"));
    await queue.drain({ isEnding: () => isEnding });
    for (const id of ids)
      expect(await queue.delivery(id)).toMatchObject({ state: "queued", attempts: 0, claimed_by: null });
    expect(sent(queue)).toEqual([]);
    await queue.drain();
    expect(created(queue).toSorted()).toEqual(["a1", "b1"]);
  });

  test("a destination that was deleted meanwhile writes nothing more", async () => {
    const queue = await open();
    const [id = ""] = await queue.queue(organization("a1"));
    await queue.set({ enabled: false, deleted_at: queue.clock() });
    await queue.drain();
    expect(await queue.delivery(id)).toMatchObject({ state: "failed", code: "destination_deleted" });
    expect(sent(queue)).toEqual([]);
  });
});

test("a fault of ours is tried again a few times, and is no dead lock", async () => {
  const queue = await open(async () => {
    throw new Error("a slip");
  });
  const [id = ""] = await queue.queue(organization("a1"));
  for (let attempt = 0; attempt < 4; attempt++) {
    await queue.drain();
    queue.world.advance(HOUR);
  }
  expect(await queue.delivery(id)).toMatchObject({ state: "failed", code: "internal", attempts: 4 });
});
