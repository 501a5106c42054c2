import { beforeEach, expect, test } from "vitest";
import { admit } from "#lib/auth/admission.ts";
import { hashPassword, verifyPassword } from "#lib/auth/passwords.ts";
import { signInWithPassword } from "#lib/auth/sign-in.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const served = { demo: false };
const start = new Date("2026-11-22T08:00:00Z");
const minutesLater = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const password = "correct horse battery";
let workspace: number;

beforeEach(async () => {
  for (const table of ["app_user", "workspace"] as const) await database.db.deleteFrom(table).execute();
  workspace = await database.workspace();
  await person("ann@example.com");
});

async function person(email: string, overrides: { disabled_at?: Date; password_hash?: null } = {}) {
  const password_hash = await hashPassword(password);
  const row = {
    workspace_id: workspace,
    email,
    name: null,
    role: "csm",
    password_hash,
    created_at: start,
    ...overrides,
  };
  await database.db.insertInto("app_user").values(row).execute();
}

const attempt = (email: string, given: string, now = start) =>
  signInWithPassword(database.db, { email, password: given }, served, now);

test("the right password signs in, whatever the case of the address, and is written down", async () => {
  expect(await attempt(" Ann@Example.com ", password)).toMatchObject({
    result: "signed_in",
    person: { email: "ann@example.com", role: "csm", workspaceId: workspace },
  });
  const row = await database.db.selectFrom("app_user").select("last_sign_in_at").executeTakeFirst();
  expect(row?.last_sign_in_at).toEqual(start);
});

test("five wrong passwords lock for 15 minutes, the right one included", async () => {
  for (let tries = 1; tries < 5; tries++)
    expect(await attempt("ann@example.com", "wrong")).toEqual({ result: "wrong" });
  const locked = { result: "locked", until: minutesLater(15) };
  expect(await attempt("ann@example.com", "wrong")).toEqual(locked);
  expect(await attempt("ann@example.com", password, minutesLater(14))).toEqual(locked);
  expect(await attempt("ann@example.com", password, minutesLater(15))).toMatchObject({ result: "signed_in" });
});

test("after a lock there are five tries again, and a success forgets the wrong ones", async () => {
  for (let tries = 0; tries < 5; tries++) await attempt("ann@example.com", "wrong");
  for (let tries = 1; tries < 5; tries++) {
    expect(await attempt("ann@example.com", "wrong", minutesLater(20))).toEqual({ result: "wrong" });
  }
  expect(await attempt("ann@example.com", password, minutesLater(20))).toMatchObject({ result: "signed_in" });
  expect(await attempt("ann@example.com", "wrong", minutesLater(21))).toEqual({ result: "wrong" });
});

test("wrong passwords sent at once are counted like those sent one by one", async () => {
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => attempt("ann@example.com", "wrong")));
  expect(outcomes.filter(({ result }) => result === "wrong")).toHaveLength(4);
  expect(await attempt("ann@example.com", password)).toMatchObject({ result: "locked" });
});

test("an address that is nobody's is answered like one that is somebody's", async () => {
  const outcomes = async (email: string) => {
    const found = [];
    for (let tries = 0; tries < 6; tries++) found.push(await attempt(email, "wrong"));
    return [...found, await attempt(email, "wrong", minutesLater(15))];
  };
  expect(await outcomes("nobody@example.com")).toEqual(await outcomes("ann@example.com"));
});

test("what can be no address is nobody's, and is not remembered in its length", async () => {
  expect((await attempt("ann\0@example.com", password)).result).toBe("wrong");
  const results: string[] = [];
  for (const at of [0, 1, 2, 3, 4]) results.push((await attempt("x".repeat(400 + at), "wrong")).result);
  expect(results.at(-1)).toBe("locked");
});

test("a disabled person is told so only with the right password", async () => {
  await person("bob@example.com", { disabled_at: start });
  expect(await attempt("bob@example.com", "wrong")).toEqual({ result: "wrong" });
  expect(await attempt("bob@example.com", password)).toEqual({ result: "disabled" });
});

test("a person without a password cannot sign in with one", async () => {
  await person("sso@example.com", { password_hash: null });
  for (const given of ["", "null", password])
    expect(await attempt("sso@example.com", given)).toEqual({ result: "wrong" });
});

test("a password is stored with its parameters and a salt of its own", async () => {
  const [one, two] = [await hashPassword("é"), await hashPassword("é")];
  expect(one).toMatch(/^scrypt\$32768\$8\$1\$/);
  expect(one).not.toBe(two);
  expect(await verifyPassword(one, "e\u0301")).toBe(true); // the same letter, typed in two parts
  expect(await verifyPassword(one, "e")).toBe(false);
  expect(await verifyPassword(null, "")).toBe(false);
});

const identity = { issuer: "https://id.example.com", email: "Ann@example.com", emailVerified: true, name: "Ann" };

test("an issuer's verified address is linked to the person who has it", async () => {
  expect(await admit(database.db, identity, served, start)).toMatchObject({
    result: "admitted",
    person: { email: "ann@example.com", role: "csm" },
  });
  expect(await database.db.selectFrom("app_user").select("id").execute()).toHaveLength(1);
});

test("an address that the issuer did not verify links to nobody", async () => {
  for (const unverified of [
    { ...identity, emailVerified: false },
    { ...identity, email: "" },
  ]) {
    expect(await admit(database.db, unverified, served, start)).toEqual({ result: "refused", reason: "unverified" });
  }
});

test("a newcomer joins as a viewer, but not from an issuer where anybody has an account", async () => {
  const newcomer = { ...identity, email: "new@example.com" };
  for (const issuer of ["https://accounts.google.com", "https://login.microsoftonline.com/common/v2.0"]) {
    expect(await admit(database.db, { ...newcomer, issuer }, served, start)).toEqual({
      result: "refused",
      reason: "not_invited",
    });
  }
  expect(await admit(database.db, newcomer, served, start)).toMatchObject({
    person: { email: "new@example.com", role: "viewer", workspaceId: workspace, name: "Ann" },
  });
  expect(await attempt("new@example.com", "")).toEqual({ result: "wrong" });
});

test("a disabled person is not let in by the issuer", async () => {
  await person("bob@example.com", { disabled_at: start });
  const bob = { ...identity, email: "bob@example.com" };
  expect(await admit(database.db, bob, served, start)).toEqual({ result: "refused", reason: "disabled" });
});
