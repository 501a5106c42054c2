import { expect, test } from "vitest";
import { DELETE as revokeApiKey } from "#app/api/v1/api-keys/[id]/route.ts";
import { POST as createApiKey, GET as listApiKeys } from "#app/api/v1/api-keys/route.ts";
import { GET as getSession } from "#app/api/v1/session/route.ts";
import { keyHolder } from "#lib/auth/api-keys.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

const isAccepted = async (key: string) => (await api.call(getSession, "/api/v1/session", { key })).status === 200;

test("a made key works until it is revoked, and its value is nowhere in the database or the list", async () => {
  const admin = await api.key(await database.workspace());
  const { body: made } = await api.call(createApiKey, "/api/v1/api-keys", {
    key: admin,
    body: { name: "Export", role: "viewer" },
  });
  expect(made.key).toMatch(/^bw_[\w-]{43}$/);
  expect(made).toMatchObject({ hint: `${made.key.slice(0, 7)}…`, createdBy: "API key “test admin”", lastUsedAt: null });
  expect(await isAccepted(made.key)).toBe(true);
  const list = await api.call(listApiKeys, "/api/v1/api-keys", { key: admin });
  expect(list.text).not.toContain(made.key);
  expect(list.body.items.map(({ name }) => name)).toEqual(["Export", "test admin"]);
  const stored = await database.db
    .selectFrom("api_key")
    .selectAll()
    .where("id", "=", made.id)
    .executeTakeFirstOrThrow();
  expect(JSON.stringify(stored)).not.toContain(made.key.slice(8));

  expect((await api.call(revokeApiKey, `/api/v1/api-keys/${made.id}`, { key: admin })).status).toBe(204);
  expect(await isAccepted(made.key)).toBe(false);
  expect((await api.call(revokeApiKey, `/api/v1/api-keys/${made.id}`, { key: admin })).status).toBe(404);
});

test("a repeated request with one Idempotency-Key makes one key and tells the same value", async () => {
  const admin = await api.key(await database.workspace());
  const make = () =>
    api.call(createApiKey, "/api/v1/api-keys", {
      key: admin,
      body: { name: "Export", role: "viewer" },
      headers: { "idempotency-key": "once" },
    });
  const first = await make();
  expect([first.status, (await make()).text]).toEqual([201, first.text]);
});

test("the last use is written down at most once a minute", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const start = new Date("2030-01-01T00:00:00Z");
  const usedAt = async (seconds: number) => {
    await keyHolder(database.db, key, new Date(start.getTime() + seconds * 1000));
    const row = await database.db
      .selectFrom("api_key")
      .select("last_used_at")
      .where("workspace_id", "=", workspace)
      .executeTakeFirst();
    return row?.last_used_at?.toISOString();
  };
  expect(await usedAt(0)).toBe("2030-01-01T00:00:00.000Z");
  expect(await usedAt(59)).toBe("2030-01-01T00:00:00.000Z");
  expect(await usedAt(60)).toBe("2030-01-01T00:01:00.000Z");
});

test("a key's role is checked on each call, as it stands now", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  expect((await api.call(listApiKeys, "/api/v1/api-keys", { key })).status).toBe(200);
  await database.db.updateTable("api_key").set({ role: "csm" }).where("workspace_id", "=", workspace).execute();
  expect((await api.call(listApiKeys, "/api/v1/api-keys", { key })).status).toBe(403);
});
