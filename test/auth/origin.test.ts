import { expect, test } from "vitest";
import { requireOurOrigin } from "#lib/auth/origin.ts";

const publicUrl = "https://bellwether.example";

function isAccepted(headers: Record<string, string>, configured: string | null): boolean {
  try {
    requireOurOrigin(new Request("http://127.0.0.1:3000/api/v1/users", { method: "POST", headers }), configured);
    return true;
  } catch {
    return false;
  }
}

test("with a public address only that origin is ours, whatever host the request names", () => {
  const host = "evil.example";
  expect(isAccepted({ host: "127.0.0.1:3000", origin: publicUrl }, publicUrl)).toBe(true);
  expect(isAccepted({ host, origin: `https://${host}` }, publicUrl)).toBe(false);
  expect(isAccepted({ host: "bellwether.example", origin: "http://bellwether.example" }, publicUrl)).toBe(false);
});

test("without one the host decides that the browser asked for, the outermost proxy's word first", () => {
  expect(isAccepted({ host: "localhost:3000", origin: "http://localhost:3000" }, null)).toBe(true);
  const proxied = { host: "10.0.0.7:3000", "x-forwarded-host": "bellwether.example, inner" };
  expect(isAccepted({ ...proxied, origin: publicUrl }, null)).toBe(true);
  expect(isAccepted({ ...proxied, origin: "http://10.0.0.7:3000" }, null)).toBe(false);
  expect(isAccepted({ host: "localhost:3000", origin: "http://localhost:3001" }, null)).toBe(false);
  expect(isAccepted({ host: "localhost:3000", origin: "null" }, null)).toBe(false);
  expect(isAccepted({ host: "localhost:3000" }, null)).toBe(false);
});
