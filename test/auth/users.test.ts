import { expect, test } from "vitest";
import { GET as getSession } from "#app/api/v1/session/route.ts";
import { PATCH as updateUser } from "#app/api/v1/users/[id]/route.ts";
import { POST as createUser, GET as listUsers } from "#app/api/v1/users/route.ts";
import type { User } from "#lib/auth/shapes.ts";
import { signInWithPassword } from "#lib/auth/sign-in.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

async function team() {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const change = (userId: string, body: unknown) => api.call(updateUser, `/api/v1/users/${userId}`, { key, body });
  const isSignedIn = async (cookie: string) =>
    (await api.call(getSession, "/api/v1/session", { cookie })).status === 200;
  return { workspace, key, change, isSignedIn };
}

test("an added person signs in with the password that the answer tells once", async () => {
  const { key } = await team();
  const body = { email: "Ann@Example.com", name: "Ann", role: "csm" };
  const { status, body: created } = await api.call(createUser, "/api/v1/users", { key, body });
  expect([status, created.email, created.role]).toEqual([201, "ann@example.com", "csm"]);
  const given = { email: "ann@example.com", password: created.password ?? "" };
  const outcome = await signInWithPassword(database.db, given, { demo: false }, new Date());
  expect(outcome).toMatchObject({ result: "signed_in", person: { userId: created.id } });
  const { text } = await api.call(listUsers, "/api/v1/users", { key });
  expect(text).not.toMatch(/password|scrypt/);
});

test("an address that is taken is a conflict, whatever its case; a short password names its place", async () => {
  const { key } = await team();
  const body = { email: "ann@example.com", role: "csm" };
  await api.call(createUser, "/api/v1/users", { key, body });
  const taken = await api.call(createUser, "/api/v1/users", { key, body: { ...body, email: "ANN@example.com" } });
  expect([taken.status, taken.error?.code]).toEqual([409, "conflict"]);
  const short = await api.call(createUser, "/api/v1/users", { key, body: { ...body, password: "short" } });
  expect(short.error?.details).toEqual([{ path: "password", message: "needs at least 12 characters" }]);
});

test("people are listed by address, page by page, each once", async () => {
  const { workspace, key } = await team();
  const emails = ["c@example.com", "a@example.com", "b@example.com"];
  for (const email of emails) await api.person(workspace, "viewer", email);
  const seen: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: { items: User[]; nextCursor: string | null } = (
      await api.call(listUsers, `/api/v1/users?limit=2&cursor=${cursor}`, { key })
    ).body;
    seen.push(...page.items.map(({ email }) => email));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(emails.toSorted());
  const forged = await api.call(listUsers, "/api/v1/users?cursor=WzFd", { key });
  expect([forged.status, forged.error?.details?.[0]?.path]).toEqual([422, "cursor"]);
});

test.each([{ role: "admin" }, { disabled: true }, { password: "a new long password" }])(
  "%j ends the person's sessions",
  async (patch) => {
    const { workspace, change, isSignedIn } = await team();
    const { userId, cookie } = await api.person(workspace, "viewer");
    expect(await isSignedIn(cookie)).toBe(true);
    expect((await change(userId, patch)).status).toBe(200);
    expect(await isSignedIn(cookie)).toBe(false);
  },
);

test("a new name, or the role that one has already, leaves the session alone", async () => {
  const { workspace, change, isSignedIn } = await team();
  const { userId, cookie } = await api.person(workspace, "viewer");
  expect((await change(userId, { name: " Ann ", role: "viewer", disabled: false })).body.name).toBe("Ann");
  expect(await isSignedIn(cookie)).toBe(true);
});

test("an administrator unlocks a person, and a new password unlocks too", async () => {
  const { workspace, change } = await team();
  for (const patch of [{ unlock: true }, { password: "a new long password" }]) {
    const { userId } = await api.person(workspace, "viewer");
    const until = new Date(Date.now() + 60_000);
    await database.db
      .updateTable("app_user")
      .set({ locked_until: until, failed_attempts: 5 })
      .where("id", "=", userId)
      .execute();
    expect((await change(userId, patch)).body.lockedUntil).toBeNull();
  }
});

test.each([{ role: "csm" }, { disabled: true }])("the last administrator cannot become %j", async (patch) => {
  const { workspace, change } = await team();
  const ann = await api.person(workspace, "admin", "ann@example.com");
  const bob = await api.person(workspace, "admin");
  expect((await change(bob.userId, { disabled: true })).status).toBe(200);
  const { status, error } = await change(ann.userId, patch);
  expect([status, error?.message]).toEqual([409, expect.stringContaining("ann@example.com is the only administrator")]);
});

test("two administrators who demote each other at once do not both succeed", async () => {
  const { workspace, change } = await team();
  const both = [await api.person(workspace, "admin"), await api.person(workspace, "admin")];
  const answers = await Promise.all(both.map(({ userId }) => change(userId, { role: "viewer" })));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
});

test("a wrong field, role or type of a change is named", async () => {
  const { workspace, change } = await team();
  const { userId } = await api.person(workspace);
  const { status, error } = await change(userId, { role: "owner", disabled: "yes", sudo: true });
  expect(status).toBe(422);
  expect(error?.details?.map(({ path }) => path).toSorted()).toEqual(["disabled", "role", "sudo"]);
});
