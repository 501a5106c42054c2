import { NextRequest } from "next/server";
import { expect, test } from "vitest";
import { config, proxy } from "../../proxy.ts";

const ask = (address: string, headers: Record<string, string> = {}) =>
  proxy(new NextRequest(new URL(address, "http://127.0.0.1:3000"), { headers }));
/** What the page will see as its request's header. */
const forwarded = (response: Response, name: string) => response.headers.get(`x-middleware-request-${name}`);
const nonceOf = (policy: string | null) => /'nonce-([^']+)'/.exec(policy ?? "")?.[1];

test("each request has a nonce of its own, in the policy and for the page", () => {
  const [one, two] = [ask("/accounts"), ask("/accounts")];
  const nonce = nonceOf(one.headers.get("content-security-policy"));
  expect(nonce).toMatch(/^[\w+/=]{24}$/);
  expect(forwarded(one, "x-nonce")).toBe(nonce);
  expect(nonceOf(forwarded(one, "content-security-policy"))).toBe(nonce);
  expect(nonceOf(two.headers.get("content-security-policy"))).not.toBe(nonce);
});

test("no page may be framed, no form may leave, no script without the nonce may run", () => {
  const policy = ask("/").headers.get("content-security-policy") ?? "";
  for (const rule of ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'self'", "object-src 'none'"]) {
    expect(policy.split("; ")).toContain(rule);
  }
  expect(policy).not.toMatch(/script-src[^;]*'unsafe/);
});

test("the page learns its own address from us, whatever the request says", () => {
  const spoofed = ask("/accounts/1?windowDays=30&_rsc=abc", {
    "x-bellwether-path": "//evil.example",
    "x-nonce": "mine",
  });
  expect(forwarded(spoofed, "x-bellwether-path")).toBe("/accounts/1?windowDays=30");
  expect(forwarded(spoofed, "x-nonce")).not.toBe("mine");
});

test("https is required for a year once it is used, and never before", () => {
  expect(ask("/").headers.get("strict-transport-security")).toBeNull();
  expect(ask("/", { "x-forwarded-proto": "https" }).headers.get("strict-transport-security")).toBe("max-age=31536000");
});

test("request bodies of the API do not pass through", () => {
  const matches = (address: string) => config.matcher.some((matcher) => new RegExp(`^${matcher}$`).test(address));
  for (const page of ["/", "/sign-in", "/accounts/1", "/apiary"]) expect([page, matches(page)]).toEqual([page, true]);
  for (const other of ["/api/v1/accounts/import", "/_next/static/x.js"]) expect(matches(other)).toBe(false);
});
