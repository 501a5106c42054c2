import { randomBytes } from "node:crypto";
import { expect, expectAccessible, signInAs, test, withoutComplaints } from "#test/e2e/product.ts";
import { freePort, startProduct } from "#test/e2e/started-product.ts";
import { startDemo } from "#test/support/zendesk/demo.ts";

test("writing is granted in Zendesk's own window, apart from reading, and a refusal says what to do", async ({
  browser,
}) => {
  test.setTimeout(360_000);
  const demo = await startDemo({ size: "small" });
  const { clientId, clientSecret } = demo.world.credentials;
  const admin = { ADMIN_EMAIL: "ada@example.com", ADMIN_PASSWORD: `pass-${randomBytes(9).toString("hex")}` };
  const port = await freePort();
  const product = await startProduct({
    PORT: String(port),
    DEMO: "0",
    ZENDESK_URL: demo.zendesk.url,
    ZENDESK_CLIENT_ID: clientId,
    ZENDESK_CLIENT_SECRET: clientSecret,
    ...admin,
  });
  try {
    const context = await browser.newContext({ baseURL: `http://127.0.0.1:${port}` });
    await withoutComplaints(await context.newPage(), async (page) => {
      await page.goto("/connections/new");
      await signInAs(page, admin.ADMIN_EMAIL, admin.ADMIN_PASSWORD);
      await page.getByLabel("Subdomain").fill(demo.world.subdomain);
      await page.getByRole("button", { name: "Sign in with Zendesk" }).click();
      const outcome = page.getByRole("status").filter({ hasText: "Connected" });
      await outcome.getByRole("link", { name: "Open the connection" }).click();
      const facts = page.getByRole("region", { name: "Connection", exact: true });
      await expect(facts.getByText("read only")).toBeVisible();

      demo.world.access.denies = true;
      await facts.getByRole("button", { name: "Ask Zendesk for writing" }).click();
      const refused = page.getByRole("alert").filter({ hasText: "Writing was not allowed in Zendesk" });
      await expect(refused).toContainText("may still only be read");
      await expect(refused).toContainText("ask again and press Allow there, signed in as an administrator");
      await expectAccessible(page);

      demo.world.access.denies = false;
      await refused.getByRole("button", { name: "Ask Zendesk for writing" }).click();
      const granted = page.getByRole("status").filter({ hasText: "may be written to" });
      await expect(granted.getByRole("link", { name: "Add a destination" })).toBeVisible();
      await expectAccessible(page);
      await granted.getByRole("link", { name: "Open the connection" }).click();
      await expect(facts.getByText("read and write")).toBeVisible();
      await expect(facts.getByText("read, write")).toBeVisible();
      await expect(facts.getByRole("button", { name: "Ask Zendesk for writing" })).toHaveCount(0);

      await page.goto("/destinations/new");
      await page.getByLabel("Name here").fill("Granted desk");
      await page.getByRole("button", { name: "Add it, switched off" }).click();
      await expect(page.getByRole("heading", { name: "Granted desk", level: 1 })).toBeVisible();
      await expect(page.getByText("may only be read")).toHaveCount(0);
    });
  } finally {
    await product.stop();
    await demo.zendesk.close();
  }
});
