import type { Page } from "@playwright/test";
import { callApi, expect, type Listed, signInAs, test } from "#test/e2e/product.ts";

interface Person {
  email: string | null;
  organizationId: string;
  ticketsTotal: number;
}
interface Made {
  id: string;
  writeKey: string;
}
interface Action {
  key: string;
  enabled: boolean;
  trigger: object;
  mapping: { to: string; default?: string }[];
}

// One way from the first source to the last approval; each part goes on where the one before ended.
test.describe.configure({ mode: "serial", timeout: 240_000 });

test("from a source to Zendesk: wizard, sample, delivery, dead letter and approval", async ({ page, product }) => {
  await product.signIn();
  const source = await product.api<Made>("POST", "/api/v1/sources", { name: "Web app" });
  const send = (call: string, body: object) =>
    callApi(process.env.E2E_BASE_URL ?? "", source.writeKey, "POST", `/v1/${call}`, body);
  const { id: accountId } = await product.worstAccount();
  const { items: people } = await product.api<Listed<Person>>("GET", `/api/v1/accounts/${accountId}/people?limit=50`);
  const person = people.find(({ email, ticketsTotal }) => email && ticketsTotal > 0);
  const nameless = `nameless-${Date.now()}@example.com`;

  await page.goto("/destinations");
  await page.getByRole("link", { name: "Add a destination" }).first().click();
  await page.getByLabel("Name here").fill("Support desk");
  await page.getByRole("checkbox", { name: "Web app" }).check();
  await page.getByRole("button", { name: "Add it, switched off" }).click();
  await expect(page.getByRole("heading", { name: "Support desk", level: 1 })).toBeVisible();

  await page.getByRole("button", { name: "Dry run" }).click();
  const dryRun = page.getByRole("region", { name: "Result of the dry run" });
  await expect(dryRun.getByText("Would be: 1 created, 0 changed, 0 removed")).toBeVisible();
  await page.getByRole("button", { name: "Send the sample" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Send" }).click();
  const sample = page.getByRole("region", { name: "Result of the sample" });
  await expect(sample.getByRole("listitem").filter({ hasText: "done" })).toBeVisible();

  await page.getByRole("button", { name: "Enable" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Enable" }).click();
  await expect(page.getByRole("button", { name: "Stop" })).toBeEnabled();
  await send("identify", { userId: nameless, traits: { email: nameless } });
  await send("identify", {
    traits: { email: person?.email, name: "Somebody", company: { id: person?.organizationId, remove: true } },
  });

  await page.goto("/destinations/events");
  const events = page.getByRole("grid", { name: "Events" });
  await expect(events.getByRole("row").filter({ hasText: nameless })).toContainText("1 failed");

  await page.getByRole("link", { name: /Dead letters/ }).click();
  const log = page.getByRole("grid", { name: "Deliveries" });
  await log.getByRole("row").filter({ hasText: nameless }).click();
  const panel = page.getByRole("dialog");
  await expect(panel.getByText(/Send traits.name/)).toBeVisible();
  await panel
    .getByRole("button", { name: /Show what was said/ })
    .first()
    .click();
  await expect(panel.getByRole("region", { name: /^Answered/ })).toBeVisible();
  const path = `/api/v1/destinations/${await onlyDestination(product)}/actions`;
  const actions = await product.api<Action[]>("GET", path);
  const mended = actions.map(({ key, enabled, trigger, mapping }) => ({
    key,
    enabled,
    trigger,
    mapping: mapping.map((rule) => (rule.to === "name" ? { ...rule, default: "Without a name" } : rule)),
  }));
  await product.api("PUT", path, mended);
  await panel.getByRole("button", { name: "Replay" }).click();
  await expect(panel.getByText("Zendesk has it.")).toBeVisible();

  await page.goto("/destinations/deliveries?state=held");
  await page
    .getByRole("grid", { name: "Deliveries" })
    .getByRole("row")
    .filter({ hasText: person?.email ?? "" })
    .click();
  await expect(panel.getByRole("heading", { name: /Zendesk would unassign \d+ working ticket/ })).toBeVisible();
  await panel.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Approve" }).click();
  await expect(panel.getByText("Zendesk has it.")).toBeVisible();
});

test("a changed mapping shows in the preview before it is saved, and in the history after", async ({
  page,
  product,
}) => {
  await product.signIn();
  await page.goto(
    `/destinations/${await onlyDestination(product)}?tab=actions&action=upsert_user&event=sample:identify`,
  );
  const result = page.getByRole("region", { name: "Preview" });
  await expect(result.getByText("sample@example.com", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Map plan" }).click();
  await expect(result.getByText("user_fields.plan", { exact: true })).toBeVisible();
  const earlier = page.getByRole("button", { name: "Ask Create or update organization earlier" });
  await earlier.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("list", { name: "Actions" }).getByRole("listitem").first()).toContainText("organization");
  await page.getByRole("button", { name: "Save the actions" }).click();
  await expect(page.getByText("Nothing is changed.")).toBeVisible();
  await page.getByRole("button", { name: "History" }).click();
  await expect(page.getByRole("dialog").getByText("added user_fields.plan")).toBeVisible();
});

test("a CSM may look and stop; starting again is an administrator's", async ({ page, product, browser }) => {
  const address = `/destinations/${await onlyDestination(product)}`;
  const { email, password } = await product.api<{ email: string; password: string }>("POST", "/api/v1/users", {
    email: `csm-out-${Date.now()}@example.com`,
    name: null,
    role: "csm",
  });
  await page.goto(address);
  await signInAs(page, email, password);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("It is stopped: nothing is sent")).toBeVisible();
  await expect(page.getByRole("button", { name: /Start again|Send the sample/ })).toHaveCount(0);
  await page.getByRole("tab", { name: "Settings" }).click();
  await expect(page.getByText("Administrators change the settings of a destination.")).toBeVisible();

  const admin = await browser.newPage();
  await admin.goto(address);
  await signInAs(admin, process.env.E2E_ADMIN_EMAIL ?? "", process.env.E2E_ADMIN_PASSWORD ?? "");
  await admin.getByRole("button", { name: "Start again" }).click();
  await admin.getByRole("alertdialog").getByRole("button", { name: "Start again" }).click();
  await expect(admin.getByRole("button", { name: "Stop" })).toBeEnabled();
  await admin.close();
});

for (const size of [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
]) {
  test(`the way out is accessible and fits at ${size.width} px`, async ({ page, product }) => {
    await page.setViewportSize(size);
    await product.signIn();
    const [destination, delivery, event] = await Promise.all(
      ["destinations", "deliveries", "events"].map(async (list) => {
        const { items } = await product.api<Listed<{ id: string }>>("GET", `/api/v1/${list}?limit=1`);
        return items[0]?.id;
      }),
    );
    const one = `/destinations/${destination}`;
    for (const place of [
      "/destinations",
      "/destinations/new",
      one,
      `${one}?tab=actions&action=upsert_user`,
      `${one}?tab=settings`,
      `${one}?tab=write-back`,
      `/destinations/events?event=${event}`,
      "/destinations/deliveries",
      `/destinations/deliveries?delivery=${delivery}`,
    ]) {
      await test.step(place, async () => {
        await page.goto(place);
        await settle(page);
        await product.expectAccessible();
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(wider).toBeLessThanOrEqual(0);
      });
    }
  });
}

async function settle(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 }).or(page.getByRole("dialog")).first()).toBeVisible();
  await expect(page.locator(".animate-shimmer")).toHaveCount(0);
}

async function onlyDestination(product: {
  api<Answer>(method: string, path: string): Promise<Answer>;
}): Promise<string> {
  const { items } = await product.api<Listed<{ id: string }>>("GET", "/api/v1/destinations");
  return items[0]?.id ?? "";
}
