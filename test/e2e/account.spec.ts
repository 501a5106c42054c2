import { expect, test } from "#test/e2e/product.ts";

test.beforeEach(async ({ product }) => {
  await product.signIn();
});

test("the key numbers are those of the API and each opens its tickets", async ({ page, product }) => {
  const { id, name, metrics } = await product.worstAccount();
  await page.goto(`/accounts/${id}`);
  await page.getByRole("button", { name: `Open now: ${metrics.ticketsUnsolved}, show the tickets` }).click();
  const panel = page.getByRole("dialog", { name: `Open · ${name}` });
  await expect(panel.getByRole("grid")).toHaveAttribute("aria-rowcount", String(metrics.ticketsUnsolved + 1));
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
});

test("another window gives other numbers and stays in the URL", async ({ page, product }) => {
  const { id } = await product.worstAccount();
  await page.goto(`/accounts/${id}`);
  await expect(page.getByText("Created · 30 days", { exact: true })).toBeVisible();
  await page.getByRole("radio", { name: "180 days" }).click();
  await expect(page.getByText("Created · 180 days", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/[?&]window=180/);
  await page.reload();
  await expect(page.getByText("Created · 180 days", { exact: true })).toBeVisible();
});

test("the timeline filters by kind and priority, in the URL", async ({ page, product }) => {
  const { id } = await product.worstAccount();
  await page.goto(`/accounts/${id}`);
  const panel = page.getByRole("tabpanel", { name: "Timeline" });
  await expect(panel.getByText(/ticket created/).first()).toBeVisible();
  for (const kind of ["Created", "Escalated", "Reopened", "Bad rating"]) {
    await panel.getByRole("checkbox", { name: kind }).click();
  }
  await expect(panel.getByText(/ticket created/)).toHaveCount(0);
  await expect(panel.getByText(/ticket solved/).first()).toBeVisible();
  await expect(panel.getByText(/^(Normal|Low) ticket solved/)).toHaveCount(0);
  await panel.getByRole("radio", { name: "Every priority" }).click();
  await expect(panel.getByText(/^(Normal|Low) ticket solved/).first()).toBeVisible();
  await expect(page).toHaveURL(/[?&]priority=all/);
  await page.reload();
  await expect(panel.getByText(/^(Normal|Low) ticket solved/).first()).toBeVisible();
  await expect(panel.getByText(/ticket created/)).toHaveCount(0);
});

test("every chart has its table, with the weeks that the chart draws", async ({ page, product }) => {
  const { id } = await product.worstAccount();
  await page.goto(`/accounts/${id}`);
  for (const title of ["Tickets a week", "CSAT a week"]) {
    const chart = page.getByRole("figure", { name: title });
    await chart.getByRole("button", { name: "Table" }).click();
    await expect(chart.getByRole("rowheader")).toHaveCount(26);
    await chart.getByRole("button", { name: "Chart" }).click();
    await expect(chart.getByRole("table")).toHaveCount(0);
  }
});

test("tickets, people and organizations have addresses of their own", async ({ page, product }) => {
  const { id, metrics } = await product.worstAccount();
  await page.goto(`/accounts/${id}?tab=tickets`);
  await expect(page.getByRole("grid", { name: "Tickets" })).toHaveAttribute(
    "aria-rowcount",
    String(metrics.ticketsTotal + 1),
  );
  await page.getByRole("tab", { name: "People" }).click();
  await expect(page).toHaveURL(/tab=people/);
  await expect(page.getByRole("grid", { name: "People" }).getByRole("rowheader").first()).toBeVisible();
  await page.getByRole("tab", { name: /Organizations/ }).click();
  await expect(
    page
      .getByRole("tabpanel", { name: /Organizations/ })
      .getByRole("listitem")
      .first(),
  ).toBeVisible();
});

test("on a phone an account opens at its top, with the chosen tab in view", async ({ page, product }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const { id, name } = await product.worstAccount();
  const stands = async (tab: string) => {
    const chosen = page.getByRole("tab", { name: tab, selected: true });
    await expect(chosen).toBeVisible();
    await expect(page.locator(".animate-shimmer")).toHaveCount(0);
    expect(await page.getByRole("main").evaluate((main) => main.scrollTop)).toBe(0);
    // Beside the others, that is: the strip itself lies further down the page.
    const [strip, own] = await Promise.all([page.getByRole("tablist").boundingBox(), chosen.boundingBox()]);
    if (!strip || !own) throw new Error("The tabs have no place.");
    expect(own.x).toBeGreaterThanOrEqual(strip.x);
    expect(own.x + own.width).toBeLessThanOrEqual(strip.x + strip.width);
  };
  await page.goto("/");
  await page.getByRole("grid", { name: "Accounts" }).getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  await stands("Timeline");
  await page.reload();
  await stands("Timeline");
  await page.goto(`/accounts/${id}?tab=organizations`);
  await stands("Organizations");
});

test("an account that does not exist says so and leads back", async ({ page }) => {
  await page.goto("/accounts/987654321");
  await expect(page.getByText("This account does not exist")).toBeVisible();
  await page.getByRole("link", { name: "Back to the portfolio" }).click();
  await expect(page.getByRole("heading", { name: "My portfolio", level: 1 })).toBeVisible();
});
