import { beforeEach, expect, test } from "vitest";
import { isWorkingKey } from "#lib/auth/api-keys.ts";
import { ensureFirstStart } from "#lib/auth/first-start.ts";
import { requireReady } from "#lib/auth/readiness.ts";
import { signInWithPassword } from "#lib/auth/sign-in.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const now = new Date("2026-11-22T08:00:00Z");
const bootstrapApiKey = "bootstrap-key-0123456789-0123456789";
const own = { demo: false, adminEmail: "Root@Example.com", adminPassword: "a good password", now };

beforeEach(async () => {
  for (const table of ["api_key", "app_user", "workspace"] as const) await database.db.deleteFrom(table).execute();
});

test("two processes that start at once make one workspace, one administrator and one key", async () => {
  const starts = await Promise.all(
    Array.from({ length: 6 }, () => ensureFirstStart(database.db, { ...own, bootstrapApiKey })),
  );
  expect(starts.filter((start) => start.administratorCreated)).toHaveLength(1);
  expect(new Set(starts.map((start) => start.workspaceId)).size).toBe(1);
  const people = await database.db.selectFrom("app_user").select(["email", "role"]).execute();
  expect(people).toEqual([{ email: "root@example.com", role: "admin" }]);
  expect(await database.db.selectFrom("api_key").select("role").execute()).toEqual([{ role: "admin" }]);
  expect(await isWorkingKey(database.db, bootstrapApiKey)).toBe(true);
});

test("the given password signs in, and a later start does not change it", async () => {
  await ensureFirstStart(database.db, own);
  const again = await ensureFirstStart(database.db, { ...own, adminPassword: "another password" });
  expect(again).toMatchObject({ administratorCreated: false });
  const given = { email: "root@example.com", password: "a good password" };
  expect(await signInWithPassword(database.db, given, own, now)).toMatchObject({ result: "signed_in" });
});

test("the demo and one's own work are two workspaces; the key goes to the one that is started", async () => {
  const demo = await ensureFirstStart(database.db, { ...own, demo: true, bootstrapApiKey });
  const mine = await ensureFirstStart(database.db, { ...own, bootstrapApiKey });
  expect(mine.workspaceId).not.toBe(demo.workspaceId);
  const [key] = await database.db.selectFrom("api_key").where("name", "=", "BOOTSTRAP_API_KEY").selectAll().execute();
  expect(key?.workspace_id).toBe(mine.workspaceId);
  const given = { email: "root@example.com", password: "a good password" };
  for (const [served, workspaceId] of [
    [{ demo: true }, demo.workspaceId],
    [{ demo: false }, mine.workspaceId],
  ] as const) {
    expect(await signInWithPassword(database.db, given, served, now)).toMatchObject({ person: { workspaceId } });
  }
});

test("a demo gets a key to be filled with until it is filled", async () => {
  const { workspaceId, demoApiKey = "" } = await ensureFirstStart(database.db, { ...own, demo: true });
  expect(await isWorkingKey(database.db, demoApiKey)).toBe(true);
  await database.inWorkspace(workspaceId, (trx) =>
    trx
      .insertInto("account")
      .values({ workspace_id: workspaceId, external_id: "a", name: "A", created_at: now, updated_at: now })
      .execute(),
  );
  // A filling that broke off after the accounts goes on at the next start.
  const { demoApiKey: nextKey = "" } = await ensureFirstStart(database.db, { ...own, demo: true });
  expect(await isWorkingKey(database.db, nextKey)).toBe(true);
  const connection = { name: "Demo", subdomain: "demo", access: "read", auth_type: "api_token" };
  await database.inWorkspace(workspaceId, (trx) =>
    trx
      .insertInto("connection")
      .values({ workspace_id: workspaceId, ...connection, created_at: now, updated_at: now })
      .execute(),
  );
  expect(await ensureFirstStart(database.db, { ...own, demo: true })).not.toHaveProperty("demoApiKey");
  expect(await isWorkingKey(database.db, nextKey)).toBe(false);
});

test("a revoked bootstrap key works again after a start", async () => {
  await ensureFirstStart(database.db, { ...own, bootstrapApiKey });
  await database.db.updateTable("api_key").set({ revoked_at: now, role: "viewer" }).execute();
  expect(await isWorkingKey(database.db, bootstrapApiKey)).toBe(false);
  await ensureFirstStart(database.db, { ...own, bootstrapApiKey });
  expect(await database.db.selectFrom("api_key").select(["role", "revoked_at"]).execute()).toEqual([
    { role: "admin", revoked_at: null },
  ]);
});

test("the process is ready when administrator and key are there, and says what is missing before", async () => {
  const ready = () => requireReady(database.db, { bootstrapApiKey });
  await expect(ready()).rejects.toThrow("There is no administrator yet.");
  await ensureFirstStart(database.db, own);
  await expect(ready()).rejects.toThrow("BOOTSTRAP_API_KEY");
  await ensureFirstStart(database.db, { ...own, bootstrapApiKey });
  await ready();
});
