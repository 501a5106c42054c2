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
  const { id: accountId } = await product.calmAccount();
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
  await expect(panel.getByText(/^Zendesk has it/)).toBeVisible();

  await page.goto("/destinations/deliveries?state=held");
  await page
    .getByRole("grid", { name: "Deliveries" })
    .getByRole("row")
    .filter({ hasText: person?.email ?? "" })
    .click();
  await expect(panel.getByRole("heading", { name: /Zendesk would unassign \d+ working ticket/ })).toBeVisible();
  await panel.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Approve" }).click();
  await expect(panel.getByText(/^Zendesk has it/)).toBeVisible();
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

test("the preview tells what is left out and what a new user gets, and compares what is not saved with Zendesk", async ({
  page,
  product,
}) => {
  await product.signIn();
  const source = await product.api<Made>("POST", "/api/v1/sources", { name: "Elsewhere" });
  const traits = { email: "homer@example.com", name: "Homer", timezone: "America/Springfield", phone: "1" };
  await callApi(process.env.E2E_BASE_URL ?? "", source.writeKey, "POST", "/v1/identify", { userId: "homer", traits });
  const { items } = await product.api<Listed<{ id: string }>>("GET", `/api/v1/events?sourceId=${source.id}`);
  await page.goto(
    `/destinations/${await onlyDestination(product)}?tab=actions&action=upsert_user&event=${items[0]?.id}`,
  );
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(preview.getByText("“America/Springfield” is no time zone: it was left out")).toBeVisible();
  await expect(preview.getByRole("heading", { name: "And if Zendesk does not know the user" })).toBeVisible();
  for (const field of ["role", "verified", "skip_verify_email"])
    await expect(preview.getByText(field, { exact: true })).toBeVisible();
  await page.getByLabel("Path of phone").fill("$.traits.name");
  await expect(preview.getByText("Homer", { exact: true })).toHaveCount(2);
  await preview.getByRole("button", { name: "Compare with Zendesk" }).click();
  const compared = preview.getByRole("region", { name: "Result of the dry run" });
  await expect(compared.getByText("Would be: 1 created, 0 changed, 0 removed")).toBeVisible();
  await expect(compared.getByText("skip_verify_email")).toBeVisible();
  await product.expectAccessible();
  // What was asked about is not what stands there any more.
  await page.getByLabel("Path of phone").fill("$.traits.phone");
  await expect(compared).toHaveCount(0);
});

test("who leaves with unsaved actions is asked first, by keyboard too, and nothing is lost by staying", async ({
  page,
  product,
}) => {
  await product.signIn();
  const address = `/destinations/${await onlyDestination(product)}?tab=actions&action=upsert_user&event=sample:identify`;
  await page.goto("/destinations");
  await page.goto(address);
  const path = page.getByLabel("Path of email");
  const question = page.getByRole("alertdialog", { name: "Leave without saving?" });
  const portfolio = page.getByRole("link", { name: "My portfolio" });
  await path.fill("$.traits.mail");

  await portfolio.focus();
  await page.keyboard.press("Enter");
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  // The preview is pale until it has followed the change.
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  await product.expectAccessible();
  await page.keyboard.press("Escape");
  await expect(question).toHaveCount(0);
  await expect(portfolio).toBeFocused();
  await expect(page).toHaveURL(/tab=actions/);
  await expect(path).toHaveValue("$.traits.mail");

  // Another tab of the same screen loses nothing.
  await page.getByRole("tab", { name: "Settings" }).click();
  await expect(question).toHaveCount(0);
  await page.getByRole("tab", { name: "Actions not saved" }).click();
  await expect(path).toHaveValue("$.traits.mail");

  // So do the settings and the write-back, each by itself.
  await path.fill("$.traits.email");
  await page.getByRole("tab", { name: "Settings" }).click();
  const name = page.getByRole("textbox", { name: "Name" });
  const before = await name.inputValue();
  await name.fill(`${before} too`);
  await page.getByRole("tab", { name: "Write-back" }).click();
  await page.getByRole("button", { name: "Add a number" }).click();
  await portfolio.click();
  await expect(question).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "Settings not saved" }).click();
  await expect(name).toHaveValue(`${before} too`);
  await page.getByRole("button", { name: "Undo changes" }).click();
  await expect(name).toHaveValue(before);
  await page.getByRole("tab", { name: "Write-back not saved" }).click();
  await page.getByRole("button", { name: "Undo changes" }).click();
  await expect(page.getByText("Nothing is written back.")).toBeVisible();
  await page.getByRole("tab", { name: "Actions" }).click();
  await path.fill("$.traits.mail");

  await page.keyboard.press("ControlOrMeta+k");
  await page.getByPlaceholder("Go to a screen or an account…").fill("Settings");
  await page.keyboard.press("Enter");
  await expect(question).toBeVisible();
  await page.keyboard.press("Escape");

  const reload = page.waitForEvent("dialog");
  const reloading = page.reload({ timeout: 5_000 }).catch(() => {});
  const dialog = await reload;
  expect(dialog.type()).toBe("beforeunload");
  await dialog.dismiss();
  await reloading;
  await expect(path).toHaveValue("$.traits.mail");

  await portfolio.click();
  await question.getByRole("button", { name: "Leave without saving" }).press("Enter");
  await expect(page.getByRole("heading", { name: "My portfolio", level: 1 })).toBeVisible();
  await page.goto(address);
  await expect(path).toHaveValue("$.traits.email");
  await path.fill("$.traits.mail");
  await path.fill("$.traits.email");
  await portfolio.click();
  await expect(page.getByRole("heading", { name: "My portfolio", level: 1 })).toBeVisible();
});

test("that many writes fail is told to administrators on the other screens, with the way there", async ({
  page,
  product,
  browser,
}) => {
  await product.signIn();
  const destination = await onlyDestination(product);
  const source = await product.api<Made>("POST", "/api/v1/sources", { name: "Nameless" });
  const { sourceIds } = await product.api<{ sourceIds: string[] }>("GET", `/api/v1/destinations/${destination}`);
  await product.api("PATCH", `/api/v1/destinations/${destination}`, { sourceIds: [...sourceIds, source.id] });
  const batch = Array.from({ length: 12 }, (_, n) => ({ type: "track", userId: `nobody-${n}`, event: "Opened" }));
  await callApi(process.env.E2E_BASE_URL ?? "", source.writeKey, "POST", "/v1/batch", { batch });
  await expect(async () => {
    const { failing } = await product.api<{ failing: object | null }>("GET", `/api/v1/destinations/${destination}`);
    expect(failing).not.toBeNull();
  }).toPass({ timeout: 90_000, intervals: [1_000] });
  await page.goto("/");
  const notice = page.getByRole("region", { name: "What goes wrong" });
  await expect(notice.getByText("“Support desk”: Many of its writes of the last day have failed")).toBeVisible();
  await product.expectAccessible();
  await page.goto(`/destinations/${destination}`);
  await expect(page.getByRole("tabpanel").getByText("Warning: Many of its writes")).toBeVisible();
  await expect(notice).toHaveCount(0);
  await page.goto("/");
  await notice.getByRole("link", { name: "Show the dead letters" }).click();
  await expect(
    page.getByRole("grid", { name: "Deliveries" }).getByRole("row").filter({ hasText: "nobody-1" }).first(),
  ).toBeVisible();
  await page.getByRole("combobox", { name: "Reason" }).click();
  await page.getByRole("option", { name: /^user not found/ }).click();
  await expect(page).toHaveURL(/code=user_not_found/);
  await page.getByRole("combobox", { name: "State" }).click();
  await page.getByRole("option", { name: "discarded" }).click();
  await expect(page).toHaveURL(/state=discarded/);
  await expect(page).not.toHaveURL(/code=/);
  await expect(page.getByText("No delivery matches the filters")).toBeVisible();

  const { email, password } = await product.api<{ email: string; password: string }>("POST", "/api/v1/users", {
    email: `viewer-out-${Date.now()}@example.com`,
    name: null,
    role: "viewer",
  });
  const context = await browser.newContext();
  const viewer = await context.newPage();
  const refused: string[] = [];
  viewer.on("response", (response) => response.status() === 403 && refused.push(response.url()));
  await viewer.goto("/");
  await signInAs(viewer, email, password);
  await expect(viewer.getByRole("heading", { name: "My portfolio", level: 1 })).toBeVisible();
  await expect(viewer.getByRole("region", { name: "What goes wrong" })).toHaveCount(0);
  // What a viewer may not see is not offered either.
  for (const place of ["", `/${destination}`, `/${destination}?tab=actions`, `/${destination}?tab=deliveries`]) {
    await viewer.goto(`/destinations${place}`);
    await settle(viewer);
    await expect(
      viewer.locator('main a[href*="/destinations/deliveries"], main a[href*="/destinations/events"]'),
    ).toHaveCount(0);
  }
  expect(refused).toEqual([]);
  await context.close();
  await product.api("POST", "/api/v1/deliveries/replay", { filter: { state: "failed" } });
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
  // What is old is pale until the new has come.
  await expect(page.locator(".animate-shimmer, [data-stale]")).toHaveCount(0);
}

async function onlyDestination(product: {
  api<Answer>(method: string, path: string): Promise<Answer>;
}): Promise<string> {
  const { items } = await product.api<Listed<{ id: string }>>("GET", "/api/v1/destinations");
  return items[0]?.id ?? "";
}
