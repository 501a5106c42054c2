import { expect, test } from "vitest";
import { PUT as putRoute } from "#app/api/v1/destinations/[id]/write-back/route.ts";
import { upsertAccounts } from "#lib/accounts/upsert.ts";
import { listDeliveries } from "#lib/destinations/deliveries.ts";
import { putWriteBack } from "#lib/destinations/write-back.ts";
import { writeBackChanges } from "#lib/jobs/write-back.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { readWriteBack } from "#lib/reports/write-back.ts";
import { openQueue, type Queue } from "#test/destinations/queue-ground.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";
import { DAY, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { commitsThen } from "#test/support/zendesk/write-faults.ts";

const database = useDatabase();
const api = useApi(database);

const everyRule = [
  { organizationField: "urgent", measure: "topUnsolved", enabled: true },
  { organizationField: "score", measure: "csat", enabled: true },
  { organizationField: "rated", measure: "ratings", enabled: true },
  { organizationField: "csm", measure: "owner", enabled: true },
  { organizationField: "plan", measure: "attributes.plan", enabled: true },
];
type Rule = (typeof everyRule)[number];

interface Writing extends Omit<Queue, "set"> {
  /** Compares and queues; how many deliveries there are then. */
  compare(batch?: number): Promise<number>;
  set(rules: Rule[]): Promise<void>;
  fields(name: string): Record<string, unknown>;
  sends(): string[];
}

/** Three organizations, all matched: two urgent tickets at Alpha, of which one was rated; a score of 5 that nobody knows at Beta. */
async function open({ synced = true } = {}): Promise<Writing> {
  const world = new World({ clock: "2026-02-01T09:00:00Z" });
  const types = { urgent: "integer", score: "decimal", rated: "integer", csm: "text", plan: "text" };
  for (const [key, type] of Object.entries(types)) world.definitions.createField("organization", { key, type });
  for (const name of ["Alpha", "Beta", "Gamma"]) {
    const fields = name === "Beta" ? { score: 5, plan: "kept" } : {};
    const { id: organizationId } = world.organizations.create({ name, externalId: name, fields });
    const { id: requesterId } = world.users.create({
      name: `User of ${name}`,
      email: `u@${name}.example`,
      organizationId,
    });
    if (name !== "Alpha") continue;
    const tickets = [0, 1, 2].map(() => world.tickets.create({ requesterId, organizationId, priority: "urgent" }));
    world.tickets.solve(tickets[0]?.id ?? "");
    world.ratings.rate(tickets[0]?.id ?? "", "good");
  }
  world.advance(DAY);
  const queue = await openQueue(database, world);
  const { workspaceId } = queue.scope;
  await queue.read(async (trx) => {
    const owned = { ownerEmail: "ann@example.com", attributes: { plan: "gold" } };
    const accounts = [
      { externalId: "Alpha", name: "Alpha", ...owned },
      ...["Beta", "Gamma"].map((name) => ({ externalId: name, name })),
    ];
    await upsertAccounts(trx, workspaceId, accounts, queue.clock());
    await putMatchKeys(trx, queue.scope, [
      { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
    ]);
  });
  if (synced) await queue.sync();
  const id = String(queue.destinationId);
  return Object.assign(queue as Omit<Queue, "set">, {
    async compare(batch?: number) {
      await writeBackChanges(queue.ctx, queue.clock(), batch);
      return queue.read(async (trx) => (await trx.selectFrom("delivery").select("id").execute()).length);
    },
    async set(rules: Rule[]) {
      await queue.read((trx) => putWriteBack(trx, workspaceId, id, { rules }, "Ann", queue.clock()));
    },
    fields: (name: string) =>
      Object.fromEntries(world.organizations.list().find((row) => row.name === name)?.fields ?? []),
    sends: () => queue.zendesk.journal.entries.filter(({ method }) => method === "PUT").map(({ path }) => path),
  });
}

const told = ({ read, scope, destinationId, clock }: Writing) =>
  read((trx) => readWriteBack(trx, scope.workspaceId, String(destinationId), clock()));
const pending = async (writing: Writing) => (await told(writing)).pending;
const tried = async (writing: Writing) => (await told(writing)).tried;
const delivered = ({ read }: Writing) =>
  read((trx) => trx.selectFrom("delivery").select(["state", "code", "notes"]).orderBy("id").execute());

test("nothing is written until somebody chooses what; before that it is shown what would change", async () => {
  const writing = await open();
  expect(await writing.compare()).toBe(0);
  await writing.set(everyRule.map((rule) => ({ ...rule, enabled: false })));
  const { organizations, examples } = await pending(writing);
  expect(organizations).toBe(3);
  expect(examples).toEqual(
    expect.arrayContaining([
      { organizationId: expect.any(String), name: "Alpha", field: "urgent", from: null, to: "2" },
      { organizationId: expect.any(String), name: "Beta", field: "score", from: "5", to: null },
    ]),
  );
  expect(await writing.compare()).toBe(0);
  expect(writing.sends()).toEqual([]);
});

test("numbers are written once, only where they differ, and what is not known empties its field", async () => {
  const writing = await open();
  await writing.set(everyRule);
  expect(await writing.compare()).toBe(3);
  await writing.drain();
  expect(await delivered(writing)).toEqual(Array(3).fill({ state: "done", code: null, notes: [] }));
  expect(writing.fields("Alpha")).toMatchObject({
    urgent: 2,
    score: 100,
    rated: 1,
    csm: "ann@example.com",
    plan: "gold",
  });
  expect(writing.fields("Beta")).toMatchObject({ urgent: 0, score: null, rated: 0, plan: null });
  expect(await pending(writing)).toEqual({ organizations: 0, examples: [] });

  const sent = writing.sends().length;
  expect(await writing.compare()).toBe(3);
  await writing.sync();
  expect(await writing.compare()).toBe(3);
  expect(writing.sends()).toHaveLength(sent);
});

test("a number that changes is written alone, to the organizations of its account", async () => {
  const writing = await open();
  await writing.set(everyRule);
  await writing.compare();
  await writing.drain();
  writing.zendesk.effects.clear();
  const [organization] = writing.world.organizations.list().filter(({ name }) => name === "Gamma");
  const [requester] = writing.world.users.list(({ name }) => name === "User of Gamma");
  writing.world.tickets.create({
    requesterId: requester?.id ?? "",
    organizationId: organization?.id ?? "",
    priority: "high",
  });
  writing.world.advance(10 * MINUTE);
  await writing.sync();
  await writing.compare();
  await writing.drain();
  expect(writing.zendesk.effects.of("organization.updated").map(({ values }) => values)).toEqual([
    { organization_fields: { urgent: 1 } },
  ]);
});

test("a field that Zendesk has not, or that is of another type, fails with what to do, and is not told as written", async () => {
  const writing = await open({ synced: false });
  await writing.set([{ organizationField: "nowhere", measure: "topUnsolved", enabled: true }]);
  await writing.sync();
  await writing.compare();
  expect(await tried(writing)).toEqual({ open: 3, failed: 0 });
  await writing.drain();
  expect(await tried(writing)).toEqual({ open: 0, failed: 3 });
  expect((await delivered(writing)).map(({ state, code }) => [state, code])).toEqual(
    Array(3).fill(["failed", "missing_field"]),
  );
  const { fix } = await writing.read((trx) =>
    trx.selectFrom("delivery").select("fix").limit(1).executeTakeFirstOrThrow(),
  );
  expect(fix).toContain("with the key nowhere");
  await writing.set([{ organizationField: "urgent", measure: "owner", enabled: true }]);
  await writing.compare();
  await writing.drain();
  expect((await delivered(writing)).at(-1)).toMatchObject({ state: "failed", code: "field_type" });
  expect(writing.sends()).toEqual([]);
});

test("what is overtaken by a newer number is not written any more", async () => {
  const writing = await open();
  await writing.set(everyRule.filter(({ measure }) => measure === "owner"));
  await writing.compare();
  writing.world.advance(MINUTE);
  const owner = (ownerEmail: string) => ({ externalId: "Alpha", name: "Alpha", ownerEmail });
  await writing.read((trx) =>
    upsertAccounts(trx, writing.scope.workspaceId, [owner("bob@example.com")], writing.clock()),
  );
  expect(await writing.compare()).toBe(2);
  await writing.drain();
  expect(writing.fields("Alpha")).toMatchObject({ csm: "bob@example.com" });
  expect(writing.sends()).toHaveLength(1);
  const [overtaken] = await delivered(writing);
  expect(overtaken).toEqual({ state: "done", code: null, notes: [expect.stringContaining("Newer numbers")] });
});

test("at most so many organizations are queued at once; the next look goes on", async () => {
  const writing = await open();
  await writing.set(everyRule.slice(0, 1));
  expect([await writing.compare(2), await writing.compare(2), await writing.compare(2)]).toEqual([2, 3, 3]);
});

test("an organization that loses its account loses the account's numbers", async () => {
  const writing = await open();
  await writing.set(everyRule);
  await writing.compare();
  await writing.drain();
  const none = [{ organizationField: "name", accountField: "attributes.nothing", normalize: "exact" as const }];
  writing.world.advance(5 * MINUTE);
  await writing.read((trx) => putMatchKeys(trx, writing.scope, none));
  await writing.compare();
  await writing.drain();
  expect(writing.fields("Alpha")).toMatchObject({ urgent: null, score: null, rated: null, csm: null, plan: null });
});

test("a write-back is listed by the organization's name", async () => {
  const writing = await open();
  await writing.set(everyRule.slice(0, 1));
  await writing.compare();
  const { items } = await writing.read((trx) =>
    listDeliveries(trx, writing.ctx.config, writing.scope.workspaceId, { limit: 10 }),
  );
  expect(items.map(({ subject }) => subject).toSorted()).toEqual(["Alpha", "Beta", "Gamma"]);
});

test("numbers that are still being read for the first time, and stopped destinations, write nothing", async () => {
  const writing = await open({ synced: false });
  await writing.set(everyRule);
  expect([await writing.compare(), (await pending(writing)).organizations]).toEqual([0, 0]);
  const stop = (stopped_at: Date | null) =>
    writing.read((trx) => trx.updateTable("destination").set({ stopped_at }).execute());
  await stop(writing.clock());
  await writing.sync();
  expect(await writing.compare()).toBe(0);
  await stop(null);
  expect(await writing.compare()).toBe(3);
});

test("two processes that look at once queue everything once", async () => {
  const writing = await open();
  await writing.set(everyRule);
  await Promise.all([1, 2, 3].map(() => writeBackChanges(writing.ctx, writing.clock())));
  expect(await writing.compare()).toBe(3);
});

test("a write whose answer is lost is looked up, not repeated (row 96)", async () => {
  const writing = await open();
  await writing.set(everyRule.slice(0, 1));
  await writing.compare();
  writing.zendesk.faults.add({ method: "PUT", path: "/api/v2/organizations", nth: 1 }, commitsThen("reset"));
  await writing.drain();
  for (let round = 0; round < 5; round++) {
    writing.world.advance(10 * MINUTE);
    await writing.drain();
  }
  expect((await delivered(writing)).map(({ state }) => state)).toEqual(["done", "done", "done"]);
  expect(writing.zendesk.effects.of("organization.updated")).toHaveLength(3);
});

test("one field takes one measure, and a measure that there is not is refused", async () => {
  const { scope, destinationId } = await open({ synced: false });
  const key = await api.key(scope.workspaceId);
  const put = (rules: unknown[]) =>
    api.call(putRoute, `/api/v1/destinations/${destinationId}/write-back`, { key, body: { rules } });
  const rule = { organizationField: "urgent", measure: "topUnsolved", enabled: true };
  expect((await put([rule, { ...rule, measure: "csat" }])).error?.details).toEqual([
    { path: "rules.1.organizationField", message: "urgent is filled by an earlier rule" },
  ]);
  expect((await put([{ ...rule, measure: "happiness" }])).error?.details).toEqual([
    { path: "rules.0.measure", message: expect.stringContaining("topUnsolved") },
  ]);
  const saved = (await put([rule])).body;
  expect(saved).toEqual({
    rules: [rule],
    pending: { organizations: 0, examples: [] },
    tried: { open: 0, failed: 0 },
  });
});

test("a field that Zendesk did not show when it was read last is refused with its key; a rule that stood there stays", async () => {
  const writing = await open({ synced: false });
  const { scope, destinationId } = writing;
  const key = await api.key(scope.workspaceId);
  const put = (rules: unknown[]) =>
    api.call(putRoute, `/api/v1/destinations/${destinationId}/write-back`, { key, body: { rules } });
  const [urgent, nowhere] = ["urgent", "nowhere"].map((organizationField) => ({
    ...{ organizationField, measure: "topUnsolved", enabled: false },
  }));
  writing.world.definitions.createField("organization", { key: "former", type: "integer", active: false });
  const on = { ...nowhere, enabled: true };
  expect((await put([on])).status, "nothing was read yet: nobody can tell").toBe(200);
  await writing.sync();
  expect((await put([on, urgent])).status, "it stood there already").toBe(200);
  expect((await put([nowhere, urgent])).status, "it can be switched off").toBe(200);
  const refused = await put([
    urgent,
    on,
    { ...urgent, organizationField: "former" },
    { ...urgent, organizationField: "" },
  ]);
  expect([refused.status, refused.error?.details]).toEqual([
    422,
    [{ path: "rules.3.organizationField", message: "needs the key of an organization field of Zendesk" }],
  ]);
  const unknown = await put([urgent, on, { ...urgent, organizationField: "former" }]);
  const words = (name: string) =>
    new RegExp(`^“${name}” is no active organization field.*create it there \\(Admin Center`);
  expect([unknown.status, unknown.error?.details]).toEqual([
    422,
    [
      { path: "rules.1.organizationField", message: expect.stringMatching(words("nowhere")) },
      { path: "rules.2.organizationField", message: expect.stringMatching(words("former")) },
    ],
  ]);
});
