import { expect, test } from "vitest";
import { decrypt, encrypt } from "#lib/auth/encryption.ts";
import { AppError } from "#lib/errors.ts";

const key = "an encryption key of 32 characters";

test.each(["", "token", "ünïcödé ✓ 🔑", "x".repeat(100_000)])("what is sealed opens again (%#)", (plain) => {
  const sealed = encrypt(key, plain);
  expect(decrypt(key, sealed)).toBe(plain);
  if (plain) expect(sealed).not.toContain(plain);
});

test("the same text is never sealed the same twice", () => {
  expect(encrypt(key, "token")).not.toBe(encrypt(key, "token"));
});

test("another key, a changed byte, a cut end and a foreign text do not open", () => {
  const sealed = encrypt(key, "token");
  const changed = `${sealed.slice(0, 20)}${sealed[20] === "A" ? "B" : "A"}${sealed.slice(21)}`;
  const attempts: [string, string][] = [
    ["another encryption key, as long as it", sealed],
    [key, changed],
    [key, sealed.slice(0, -4)],
    [key, "token"],
    [key, "v1."],
    [key, ""],
  ];
  for (const [given, text] of attempts) {
    expect(() => decrypt(given, text)).toThrow(AppError);
    expect(() => decrypt(given, text)).toThrow("ENCRYPTION_KEY");
  }
});
