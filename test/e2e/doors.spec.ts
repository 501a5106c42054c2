import { Analytics } from "@segment/analytics-node";
import { expect, type Listed, test } from "./product.ts";

interface Source {
  id: string;
  writeKey: string;
}

test("events arrive through the product's own doors, in front of the framework and behind it", async ({ product }) => {
  const base = process.env.E2E_BASE_URL ?? "";
  const source = await product.api<Source>("POST", "/api/v1/sources", { name: "Doors" });
  const analytics = new Analytics({ writeKey: source.writeKey, host: base });
  analytics.identify({ userId: "doors-1", traits: { email: "doors@example.com", name: "Dora Doors" } });
  analytics.track({ userId: "doors-1", event: "Opened" });
  await analytics.closeAndFlush();

  // Written this way only the framework's router recognises it.
  const headers = { authorization: `Bearer ${source.writeKey}`, "content-type": "text/plain" };
  const body = JSON.stringify({ userId: "doors-1", event: "Opened again" });
  const answer = await fetch(`${base}/v1/%74rack`, { method: "POST", headers, body });
  expect([answer.status, await answer.json()]).toEqual([200, { success: true }]);
  expect(answer.headers.get("access-control-allow-origin")).toBe("*");

  const { items } = await product.api<Listed<{ name: string | null }>>("GET", `/api/v1/events?sourceId=${source.id}`);
  expect(items.map(({ name }) => name)).toEqual(["Opened again", "Opened", null]);
  await product.api("DELETE", `/api/v1/sources/${source.id}`);
  expect((await fetch(`${base}/v1/track`, { method: "POST", headers, body })).status).toBe(401);
});
