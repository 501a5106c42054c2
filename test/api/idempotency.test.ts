import { expect, test } from "vitest";
import { z } from "zod";
import { type Call, route } from "#app/api/handler.ts";
import { type Operation, operation } from "#app/api/operation.ts";
import { POST as createUser } from "#app/api/v1/users/route.ts";
import { answerOnceInSteps, forgetOldAnswers } from "#lib/api/idempotency.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { AppError } from "#lib/errors.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

const facts = { method: "POST", path: "/api/v1/note", summary: "", role: "viewer", idempotent: true } as const;
const body = z.object({ name: z.string() });
const short = operation({ ...facts, id: "shortNote", body });
const long = operation({ ...facts, id: "longNote", body, span: "long" });
const upload = operation({ ...facts, id: "upload", span: "long", streamed: true });

/** Writes one account a call and answers how often it was called. */
function noting(definition: typeof short | typeof long, fail: (calls: number) => void = () => {}) {
  let calls = 0;
  const note = async (call: Call<Operation>) => {
    calls += 1;
    const write = (db: typeof call.db) =>
      db
        .insertInto("account")
        .values({
          workspace_id: call.workspaceId,
          external_id: `note ${calls}`,
          name: "Note",
          created_at: call.now,
          updated_at: call.now,
        })
        .execute();
    await (definition.span === "long" ? inWorkspace(call.db, call.workspaceId, write) : write(call.db));
    fail(calls);
    return { calls };
  };
  return route<Operation>(definition, note);
}

async function accounts(workspace: number): Promise<number> {
  const rows = await database.inWorkspace(workspace, (trx) => trx.selectFrom("account").select("id").execute());
  return rows.length;
}

test.each([short, long])(
  "20 requests at once with one key have one effect and one answer ($id)",
  async (definition) => {
    const workspace = await database.workspace();
    const key = await api.key(workspace);
    const note = noting(definition);
    const options = { key, body: { name: "a" }, headers: { "idempotency-key": "k-1" } };
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.call(note, facts.path, options)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['200 {"calls":1}']));
    expect(await accounts(workspace)).toBe(1);
  },
);

test.each([short, long])(
  "the same key with another body, address or person is a conflict ($id)",
  async (definition) => {
    const workspace = await database.workspace();
    const key = await api.key(workspace);
    const note = noting(definition);
    const headers = { "idempotency-key": "k-2" };
    expect((await api.call(note, facts.path, { key, body: { name: "a" }, headers })).status).toBe(200);
    const others = [
      api.call(note, facts.path, { key, body: { name: "b" }, headers }),
      api.call(note, `${facts.path}?x=1`, { key, body: { name: "a" }, headers }),
      api.call(note, facts.path, { key: await api.key(workspace), body: { name: "a" }, headers }),
    ];
    for (const { status, error } of await Promise.all(others)) expect([status, error?.code]).toEqual([409, "conflict"]);
    expect(await accounts(workspace)).toBe(1);
  },
);

test.each([short, long])("a refusal is given again, a failure of ours is not ($id)", async (definition) => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const refusing = noting(definition, (calls) => {
    throw new AppError("conflict", `refused ${calls}`);
  });
  const refused = { key, body: { name: "a" }, headers: { "idempotency-key": "refused" } };
  const first = await api.call(refusing, facts.path, refused);
  const second = await api.call(refusing, facts.path, refused);
  expect([first.status, second.text]).toEqual([409, first.text]);

  const failing = noting(definition, (calls) => {
    if (calls === 1) throw new Error("broken once");
  });
  const failed = { key, body: { name: "a" }, headers: { "idempotency-key": "failed" } };
  expect((await api.call(failing, facts.path, failed)).status).toBe(500);
  const again = await api.call(failing, facts.path, failed);
  expect([again.status, again.text]).toEqual([200, '{"calls":2}']);
});

test("a key whose answer could not be kept is not free again: the work is done", async () => {
  const workspace = await database.workspace();
  const once = {
    id: { workspaceId: workspace, key: "unkept", operation: long.id },
    fingerprint: { whole: async () => Buffer.alloc(1), read: () => Buffer.alloc(1) },
    get encryptionKey(): string {
      throw new Error("cannot be sealed");
    },
    now: new Date(),
    refusal: () => null,
  };
  const done = answerOnceInSteps(database.db, once, async () => ({ status: 200, body: "{}" }));
  await expect(done).rejects.toThrow("cannot be sealed");
  const rows = await database.inWorkspace(workspace, (trx) =>
    trx.selectFrom("idempotency_key").select(["key", "status"]).execute(),
  );
  expect(rows).toEqual([{ key: "unkept", status: null }]);
});

test("two workspaces may use the same key", async () => {
  const note = noting(short);
  for (const workspace of [await database.workspace(), await database.workspace()]) {
    const headers = { "idempotency-key": "shared" };
    const { status } = await api.call(note, facts.path, {
      key: await api.key(workspace),
      body: { name: "a" },
      headers,
    });
    expect([status, await accounts(workspace)]).toEqual([200, 1]);
  }
});

test("an uploaded file is told from another one by its content", async () => {
  const key = await api.key(await database.workspace());
  let calls = 0;
  const take = route(upload, async ({ request }) => {
    calls += 1;
    return { calls, length: (await request.text()).length };
  });
  const send = (file: string) =>
    api.call(take, facts.path, { key, body: file, headers: { "content-type": "text/csv", "idempotency-key": "file" } });
  expect((await send("a,b")).text).toBe('{"calls":1,"length":3}');
  expect((await send("a,b")).text).toBe('{"calls":1,"length":3}');
  expect((await send("a,c")).status).toBe(409);
});

test("an answer is kept for a day, sealed, and forgotten after it", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const options = {
    key,
    body: { email: "new@example.com", role: "viewer" },
    headers: { "idempotency-key": "person" },
  };
  const first = await api.call(createUser, "/api/v1/users", options);
  expect((await api.call(createUser, "/api/v1/users", options)).text).toBe(first.text);
  const kept = () => database.inWorkspace(workspace, (trx) => trx.selectFrom("idempotency_key").selectAll().execute());
  const [row] = await kept();
  expect(row?.answer).toMatch(/^v1\./);
  expect(row?.answer).not.toContain(first.body.password);

  const hours = (count: number) => new Date(Date.now() + count * 3_600_000);
  await database.inWorkspace(workspace, (trx) => forgetOldAnswers(trx, workspace, hours(23)));
  expect(await kept()).toHaveLength(1);
  await database.inWorkspace(workspace, (trx) => forgetOldAnswers(trx, workspace, hours(25)));
  expect(await kept()).toEqual([]);
});

test("a claim that a dead process left behind is free again after a quarter of an hour", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const note = noting(long);
  const pending = (minutesAgo: number) =>
    database.inWorkspace(workspace, (trx) =>
      trx
        .insertInto("idempotency_key")
        .values({
          workspace_id: workspace,
          key: "dead",
          operation: long.id,
          body_hash: Buffer.alloc(0),
          created_at: new Date(Date.now() - minutesAgo * 60_000),
        })
        .execute(),
    );
  await pending(16);
  const options = { key, body: { name: "a" }, headers: { "idempotency-key": "dead" } };
  expect((await api.call(note, facts.path, options)).status).toBe(200);
});

test.each(["", "x".repeat(256)])("an Idempotency-Key of the length of %j is refused", async (idempotencyKey) => {
  const key = await api.key(await database.workspace());
  const options = { key, body: { name: "a" }, headers: { "idempotency-key": idempotencyKey } };
  expect((await api.call(noting(short), facts.path, options)).error?.details?.[0]?.path).toBe("Idempotency-Key");
});
