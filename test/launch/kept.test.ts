import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepAdministrator, keepSecrets, settleAdministrator } from "#lib/launch/kept.ts";

const none = { auth: null, encryption: null, cron: null };
const nobody = { email: null, password: null };
let dataDir: string;

beforeEach(() => {
  dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-kept-"));
});

afterEach(() => fs.rmSync(dataDir, { recursive: true, force: true }));

test("secrets are made at the first start, differ, and are the same at the next", () => {
  const secrets = keepSecrets(dataDir, none);
  expect(new Set(Object.values(secrets)).size).toBe(3);
  for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThanOrEqual(32);
  expect(keepSecrets(dataDir, none)).toEqual(secrets);
});

test("only the owner can read what is kept, even where the mode was loosened", () => {
  keepSecrets(dataDir, none);
  keepAdministrator(dataDir, nobody);
  const files = fs.readdirSync(dataDir).map((name) => path.join(dataDir, name));
  expect(files).toHaveLength(2);
  for (const file of files) expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  fs.chmodSync(path.join(dataDir, "secrets.json"), 0o644);
  keepSecrets(dataDir, none);
  expect(fs.statSync(path.join(dataDir, "secrets.json")).mode & 0o777).toBe(0o600);
});

test("a given secret wins over the kept one, and with all three given nothing is written", () => {
  const given = { auth: "a".repeat(32), encryption: "e".repeat(32), cron: "c".repeat(32) };
  expect(keepSecrets(dataDir, given)).toEqual(given);
  expect(fs.readdirSync(dataDir)).toEqual([]);
  const kept = keepSecrets(dataDir, none);
  expect(keepSecrets(dataDir, { ...none, cron: given.cron })).toEqual({ ...kept, cron: given.cron });
});

test("a damaged secrets file stops the start instead of making new secrets over sealed credentials", () => {
  fs.writeFileSync(path.join(dataDir, "secrets.json"), '{"auth":"');
  expect(() => keepSecrets(dataDir, none)).toThrow("secrets.json is damaged");
  fs.writeFileSync(path.join(dataDir, "secrets.json"), "{}");
  expect(() => keepSecrets(dataDir, none)).toThrow("secrets.json is damaged");
});

test("a generated password is kept once its user was made, and offered again at later starts", () => {
  const first = keepAdministrator(dataDir, nobody);
  expect(first.password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
  settleAdministrator(first, true);
  const later = keepAdministrator(dataDir, nobody);
  expect(later).toMatchObject({ email: first.email, password: first.password });
  settleAdministrator(later, false);
  expect(fs.readdirSync(dataDir)).toEqual(["first-administrator.json"]);
});

test("a password whose start was interrupted is not lost, whether or not its user was made", () => {
  const interrupted = keepAdministrator(dataDir, nobody);
  const next = keepAdministrator(dataDir, nobody);
  expect(next.password).toBe(interrupted.password);
  settleAdministrator(next, false);
  expect(keepAdministrator(dataDir, nobody).password).toBe(interrupted.password);
});

test("a password that was not needed, because there is an administrator already, is not kept", () => {
  settleAdministrator(keepAdministrator(dataDir, nobody), false);
  expect(fs.readdirSync(dataDir)).toEqual([]);
});

test("a given password is never written down", () => {
  const administrator = keepAdministrator(dataDir, { email: "ada@example.com", password: "correct horse battery" });
  settleAdministrator(administrator, true);
  expect(administrator).toMatchObject({ email: "ada@example.com", password: "correct horse battery", file: null });
  expect(fs.readdirSync(dataDir)).toEqual([]);
});
