import { expect, signInAs, test } from "#test/e2e/product.ts";

type Made = { id: string; email: string; password: string };

test("a wrong password is refused in words, and five of them lock", async ({ page, product }) => {
  const { email } = await product.api<Made>("POST", "/api/v1/users", {
    email: `locked-${Date.now()}@example.com`,
    name: null,
    role: "viewer",
  });
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  for (let attempt = 1; attempt <= 5; attempt++) {
    await page.getByLabel("Password").fill(`wrong-password-${attempt}`);
    const answer = page.waitForResponse((response) => response.url().includes("/callback/credentials"));
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await answer;
    await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeEnabled();
    if (attempt === 1) await expect(page.getByRole("alert").filter({ hasText: "password is wrong" })).toBeVisible();
  }
  await expect(page.getByRole("alert").filter({ hasText: "Sign-in is locked" })).toBeVisible();
});

test("a deep link leads through sign-in to its screen, and signing out leads back there", async ({ page }) => {
  await page.goto("/settings?tab=metrics");
  await signInAs(page, process.env.E2E_ADMIN_EMAIL ?? "", process.env.E2E_ADMIN_PASSWORD ?? "");
  await expect(page).toHaveURL(/\/settings\?tab=metrics/);
  await page.getByRole("button", { name: /Your menu/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/);
  await page.goto("/settings");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("a person added by an admin signs in with the password shown once", async ({ page, product, browser }) => {
  await product.signIn();
  await page.goto("/settings?tab=users");
  await page.getByRole("button", { name: "Add a person" }).click();
  const email = `added-${Date.now()}@example.com`;
  const dialog = page.getByRole("dialog", { name: "Add a person" });
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: /Viewer/ }).click();
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  const password = (await dialog.locator("code").innerText()).trim();

  const other = await browser.newContext();
  const theirs = await other.newPage();
  await theirs.goto("/");
  await signInAs(theirs, email, password);
  await expect(theirs.getByRole("heading", { name: "My portfolio", level: 1 })).toBeVisible();
  await other.close();
});

test("a viewer is offered nothing that a viewer may not do", async ({ page, product }) => {
  await enterAs("viewer", page, product);
  const connection = await product.connectionPath();
  await page.goto("/connections");
  await expect(page.getByText("zendesk.com").first()).toBeVisible();
  await expect(page.getByRole("link", { name: "Connect a Zendesk" })).toHaveCount(0);
  await page.goto("/connections/new");
  await expect(page.getByText("Administrators connect a Zendesk")).toBeVisible();
  await page.goto(`${connection}?tab=matching`);
  await expect(page.getByRole("heading", { name: "Organizations" })).toBeVisible();
  await expect(page.getByRole("button", { name: /Sync now|Pause|Ignore|Save and re-match|Upload/ })).toHaveCount(0);
  await page.goto("/settings?tab=users");
  await expect(page.getByLabel("Windows in days")).toBeDisabled();
  await expect(page.getByRole("tab", { name: "People" })).toHaveCount(0);
});

test("a CSM syncs and decides matches, and sets nothing up", async ({ page, product }) => {
  await enterAs("csm", page, product);
  await page.goto(`${await product.connectionPath()}?tab=matching&match=unmatched`);
  await expect(page.getByRole("button", { name: "Sync now" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Ignore" }).first()).toBeVisible();
  await expect(page.getByRole("button", { name: /Pause|Save and re-match|Add a key/ })).toHaveCount(0);
  await page.getByRole("tab", { name: "Settings" }).click();
  await expect(page.getByText("Administrators change the settings of a connection.")).toBeVisible();
});

async function enterAs(
  role: "viewer" | "csm",
  page: import("@playwright/test").Page,
  product: { api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> },
): Promise<void> {
  const { email, password } = await product.api<Made>("POST", "/api/v1/users", {
    email: `${role}-${Date.now()}@example.com`,
    name: null,
    role,
  });
  await page.goto("/");
  await signInAs(page, email, password);
  await expect(page.getByRole("heading", { name: "My portfolio", level: 1 })).toBeVisible();
}
