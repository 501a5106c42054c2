import { expect, test } from "#test/e2e/product.ts";

interface MatchCounts {
  matching: Record<"matched" | "ambiguous" | "unmatched" | "ignored", number>;
}

test.beforeEach(async ({ product }) => {
  await product.signIn();
});

test("an admin sees what a ladder of keys would change before saving it", async ({ page, product }) => {
  await page.goto(`${await product.connectionPath()}?tab=matching`);
  const save = page.getByRole("button", { name: "Save and re-match" });
  await expect(save).toBeDisabled();
  await page.getByRole("button", { name: "Remove key 1", exact: true }).click();
  await expect(page.getByText(/Saving would change/)).toBeVisible();
  await expect(save).toBeEnabled();
  await page.getByRole("button", { name: "Undo changes" }).click();
  await expect(save).toBeDisabled();
});

test("an admin reorders keys without dragging", async ({ page, product }) => {
  await page.goto(`${await product.connectionPath()}?tab=matching`);
  const second = page.getByRole("combobox", { name: "Organization field of key 2" });
  const field = await second.innerText();
  await page.getByRole("button", { name: "Move key 2 up" }).click();
  await expect(page.getByRole("combobox", { name: "Organization field of key 1" })).toHaveText(field);
  await page.getByRole("button", { name: "Undo changes" }).click();
  await expect(second).toHaveText(field);
});

test("an admin decides about an organization and takes it back", async ({ page, product }) => {
  const path = await product.connectionPath();
  const before = await product.api<MatchCounts>("GET", `/api/v1${path}`);
  await page.goto(`${path}?tab=matching&match=unmatched`);
  const rows = page
    .getByRole("tabpanel")
    .getByRole("listitem")
    .filter({ has: page.getByRole("button", { name: "Ignore" }) });
  const name = (await rows.first().locator("span").first().innerText()).trim();
  await rows.first().getByRole("button", { name: "Ignore" }).click();
  await expect(rows.filter({ hasText: name })).toHaveCount(0);
  await expect(page.getByRole("radio", { name: `Ignored ${before.matching.ignored + 1}` })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(rows.filter({ hasText: name }).first()).toBeVisible();
  const after = await product.api<MatchCounts>("GET", `/api/v1${path}`);
  expect(after.matching).toEqual(before.matching);
});

test("the queue is cleared by keys: j to a row, i to ignore it", async ({ page, product }) => {
  const path = await product.connectionPath();
  const { matching } = await product.api<MatchCounts>("GET", `/api/v1${path}`);
  await page.goto(`${path}?tab=matching&match=unmatched`);
  await expect(page.getByRole("tabpanel").getByRole("button", { name: "Ignore" }).first()).toBeVisible();
  await page.keyboard.press("j");
  await page.keyboard.press("i");
  await expect(page.getByRole("radio", { name: `Ignored ${matching.ignored + 1}` })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("radio", { name: `Ignored ${matching.ignored}` })).toBeVisible();
});

test("a corrected list with a wrong header is refused in words", async ({ page, product }) => {
  await page.goto(`${await product.connectionPath()}?tab=matching`);
  await page
    .getByLabel("Corrected list of organizations")
    .setInputFiles({ name: "list.csv", mimeType: "text/csv", buffer: Buffer.from("colour,shape\nred,round\n") });
  await expect(page.getByRole("alert").filter({ hasText: /header|column/i })).toBeVisible();
});

test("a run started by a person is listed and succeeds", async ({ page, product }) => {
  await page.goto(`${await product.connectionPath()}?tab=runs`);
  await page.getByRole("button", { name: "Sync now" }).click();
  const run = page.getByRole("listitem").filter({ hasText: "by a person" }).first();
  await expect(run.getByText("succeeded")).toBeVisible({ timeout: 45_000 });
});

test("a wrong Zendesk is refused at the field that is wrong", async ({ page }) => {
  await page.goto("/connections/new");
  await page.getByLabel("Subdomain").fill("evil.example.com/#");
  await page.getByLabel("Client identifier").fill("client");
  await page.getByLabel("Client secret").fill("secret");
  await page.getByRole("button", { name: "Try the login and connect" }).click();
  await expect(page.getByLabel("Subdomain")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("heading", { name: "Connect a Zendesk" })).toBeVisible();
});

test("a wrong login is refused in words and nothing is kept", async ({ page, product }) => {
  const path = await product.connectionPath();
  await page.goto(`${path}?tab=settings`);
  await page.getByLabel("Client identifier").fill("nobody");
  await page.getByLabel("Client secret").fill("wrong");
  await page.getByRole("button", { name: "Try and change the login" }).click();
  await expect(page.getByLabel("Client secret")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText(/Zendesk rejects the OAuth client/)).toBeVisible();
  const subdomain = page.getByLabel("Subdomain");
  const own = await subdomain.inputValue();
  await subdomain.fill("nobody-here");
  await page.getByRole("button", { name: "Try and change the login" }).click();
  await expect(subdomain).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText(/No Zendesk account answers at .*nobody-here/)).toBeVisible();
  await page.reload();
  await expect(subdomain).toHaveValue(own);
  const { state } = await product.api<{ state: string }>("GET", `/api/v1${path}`);
  expect(state).toBe("active");
});

test("a window of no days is refused at its field, and the settings stay", async ({ page, product }) => {
  await page.goto("/settings");
  await page.getByLabel("Windows in days").fill("0, 30");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(/at least 1 day/)).toBeVisible();
  const { windows } = await product.api<{ windows: number[] }>("GET", "/api/v1/workspace");
  expect(windows).toEqual([7, 14, 30, 90, 180]);
});

test("accounts with wrong rows go in but for those, which are named with their line", async ({ page, product }) => {
  await page.goto("/settings?tab=accounts");
  const name = `Imported ${Date.now()}`;
  const file = `external_id,name,owner_email\nimp-${Date.now()},${name},\n,Nameless id,\n`;
  await page
    .getByLabel("CSV file of accounts")
    .setInputFiles({ name: "accounts.csv", mimeType: "text/csv", buffer: Buffer.from(file) });
  const result = page.getByRole("status").filter({ hasText: "1 created" });
  await expect(result).toContainText("1 rejected");
  await expect(result).toContainText("Line 3");
  const found = await product.api<{ total: number }>("GET", `/api/v1/accounts?q=${encodeURIComponent(name)}`);
  expect(found.total).toBe(1);
});

test("an API key is shown once, works, and is refused once revoked", async ({ page, request }) => {
  await page.goto("/settings?tab=keys");
  const name = `key ${Date.now()}`;
  await page.getByRole("button", { name: "Make a key" }).click();
  const dialog = page.getByRole("dialog", { name: "Make an API key" });
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Make the key" }).click();
  const key = (await dialog.locator("code").innerText()).trim();
  await dialog.getByRole("button", { name: "Done" }).click();
  const ask = () => request.get("/api/v1/accounts?limit=1", { headers: { authorization: `Bearer ${key}` } });
  expect((await ask()).status()).toBe(200);
  await expect(page.getByText(key)).toHaveCount(0);

  await page.getByRole("listitem").filter({ hasText: name }).getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await expect(page.getByRole("alertdialog")).toHaveCount(0);
  await expect(page.getByRole("listitem").filter({ hasText: name })).toHaveCount(0);
  expect((await ask()).status()).toBe(401);
});
