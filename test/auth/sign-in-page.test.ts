import { expect, test } from "vitest";
import { failureOf } from "#app/sign-in/failures.ts";
import { returnPath } from "#app/sign-in/return-path.ts";

test.each(["/", "/accounts/12?windowDays=30&sort=-csat#timeline", "/settings", "/apiary"])(
  "sign-in leads back to %s",
  (path) => {
    expect(returnPath(path)).toBe(path);
  },
);

test.each([
  undefined,
  "",
  "//evil.example",
  "/\\evil.example",
  "/\t/evil.example",
  "https://evil.example/",
  "https:evil.example",
  "javascript:alert(1)",
  "accounts",
  "/sign-in?callbackUrl=/sign-in",
  "/api/v1/session",
  "/x/../api/v1/session",
  ["/settings", "/accounts"],
])("sign-in leads home for %j", (asked) => {
  expect(returnPath(asked)).toBe("/");
});

const clock = (instant: Date) => instant.toISOString().slice(11, 16);

test("a lock says when it ends", () => {
  const failure = failureOf("locked:2026-11-22T08:15:00.000Z", "Corp ID", clock);
  expect(failure.remedy).toContain("at 08:15");
  expect(failureOf("locked:soon", "Corp ID", clock).remedy).toContain("within 15 minutes");
});

test("every failure says what to do, and one that is not known says so without repeating it", () => {
  const codes = ["wrong", "disabled", "unavailable", "offline", "unverified", "not_invited", "OAuthCallback"];
  const words = codes.map((code) => failureOf(code, "Corp ID", clock));
  expect(new Set(words.map(({ title }) => title)).size).toBe(codes.length);
  for (const code of ["<script>", "constructor", "__proto__", ""]) {
    expect(failureOf(code, "Corp ID", clock).title).toBe("Sign-in did not succeed.");
  }
});
