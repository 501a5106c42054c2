import { parse } from "csv-parse/sync";
import { type AccountRow, expect, type Listed, test } from "#test/e2e/product.ts";

test.beforeEach(async ({ product, page }) => {
  await product.signIn();
  await page.goto("/");
  await expect(page.getByRole("grid", { name: "Accounts" }).getByRole("rowheader").first()).toBeVisible();
});

test("a person goes from sign-in to an account's urgent tickets and back", async ({ page, product }) => {
  const worst = await product.worstAccount();
  expect(worst.metrics.topUnsolved).toBeGreaterThan(0);
  const grid = page.getByRole("grid", { name: "Accounts" });
  const first = grid.getByRole("row").nth(1);
  await expect(first.getByRole("rowheader")).toHaveText(worst.name);

  const number = first.getByRole("button", { name: /tickets of top priority unsolved now/ });
  await number.click();
  const panel = page.getByRole("dialog", { name: `Top open · ${worst.name}` });
  await expect(panel.getByRole("grid", { name: "Tickets" })).toHaveAttribute(
    "aria-rowcount",
    String(worst.metrics.topUnsolved + 1),
  );
  await expect(panel.getByRole("rowheader")).toHaveCount(worst.metrics.topUnsolved);
  await expect(panel.getByRole("link", { name: "CSV" })).toHaveAttribute("href", /metric=topUnsolved.*format=csv/);

  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await expect(number).toBeFocused();

  await first.getByRole("link", { name: worst.name }).click();
  await expect(page.getByRole("heading", { name: worst.name, level: 1 })).toBeVisible();
  await page.getByRole("link", { name: "My portfolio" }).first().click();
  await expect(grid).toBeVisible();
});

test("every number of a row opens as many tickets as it says", async ({ page, product }) => {
  const { name, metrics } = await product.worstAccount();
  const first = page.getByRole("grid", { name: "Accounts" }).getByRole("row").nth(1);
  for (const [counts, label, value] of [
    [/ tickets unsolved now,/, "Open", metrics.ticketsUnsolved],
    [/ tickets created,/, "Created", metrics.ticketsCreated],
    [/ tickets of top priority created,/, "Top created", metrics.topCreated],
  ] as const) {
    await first.getByRole("button", { name: counts }).click();
    const panel = page.getByRole("dialog", { name: `${label} · ${name}` });
    await expect(panel.getByRole("grid", { name: "Tickets" })).toHaveAttribute("aria-rowcount", String(value + 1));
    await page.keyboard.press("Escape");
    await expect(panel).toBeHidden();
  }
});

test("an open number is an address: Back closes it, the link opens it again", async ({ page, product }) => {
  const { name } = await product.worstAccount();
  const first = page.getByRole("grid", { name: "Accounts" }).getByRole("row").nth(1);
  await first.getByRole("button", { name: /tickets of top priority unsolved now/ }).click();
  const panel = page.getByRole("dialog", { name: `Top open · ${name}` });
  await expect(panel).toBeVisible();
  const address = page.url();
  await page.goBack();
  await expect(panel).toBeHidden();
  await page.goto(address);
  await expect(panel).toBeVisible();
});

test("sort, window, owner and search live in the URL and survive a reload", async ({ page, product }) => {
  const { owner } = await product.worstAccount();
  if (!owner) throw new Error("The account that goes wrong has no owner.");
  const grid = page.getByRole("grid", { name: "Accounts" });
  const header = grid.getByRole("columnheader", { name: /^Account/ });
  await header.getByRole("button").first().click();
  await expect(page).toHaveURL(/sort=name/);
  await expect(header).toHaveAttribute("aria-sort", "ascending");
  await page.getByRole("radio", { name: "90 days" }).click();
  await expect(page).toHaveURL(/window=90/);

  await page.getByRole("button", { name: /^Owner/ }).click();
  await page.getByRole("option", { name: new RegExp(owner.name ?? owner.email) }).click();
  const theirs = await product.api<Listed<AccountRow>>(
    "GET",
    `/api/v1/accounts?ownerEmail=${encodeURIComponent(owner.email)}&limit=1`,
  );
  await expect(grid).toHaveAttribute("aria-rowcount", String((theirs.total ?? 0) + 1));

  await page.getByRole("searchbox", { name: "Search accounts" }).fill("no such account at all");
  await expect(page.getByText("No account matches")).toBeVisible();
  await expect(page).toHaveURL(/[?&]q=no/);
  await page.reload();
  await expect(page.getByText("No account matches")).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await expect(grid.getByRole("rowheader").first()).toBeVisible();
  await expect(page).toHaveURL(/sort=name/);
  await expect(page).not.toHaveURL(/owner=|q=/);
});

test("the whole book can be scrolled through", async ({ page, product }) => {
  const all = await product.api<Listed<AccountRow>>("GET", "/api/v1/accounts?sort=name&limit=500");
  await page.goto("/?sort=name");
  const grid = page.getByRole("grid", { name: "Accounts" });
  await grid.getByRole("rowheader").first().click();
  await page.goBack();
  await grid.getByRole("rowheader").first().getByRole("link").focus();
  await page.keyboard.press("Control+End");
  await expect(async () => {
    await page.keyboard.press("Control+End");
    await expect(grid.getByRole("rowheader", { name: all.items.at(-1)?.name })).toBeVisible({ timeout: 1_000 });
  }).toPass();
});

test("the table works by keyboard alone", async ({ page }) => {
  const grid = page.getByRole("grid", { name: "Accounts" });
  const name = await grid.getByRole("row").nth(2).getByRole("rowheader").innerText();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  await page.goBack();
  await expect(grid.getByRole("rowheader").first()).toBeVisible();

  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox", { name: "Search accounts" })).toBeFocused();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("?");
  const list = page.getByRole("dialog", { name: /shortcuts/i });
  await expect(list.getByText("Next row")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(list).toBeHidden();
});

test("the palette leads to an account by its name", async ({ page, product }) => {
  const { name } = await product.worstAccount();
  await page.keyboard.press("Control+k");
  await page.keyboard.type(name.slice(0, 8));
  await page.getByRole("option", { name }).click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
});

test("what happened stands beside the table, can be narrowed to trouble and links to its account", async ({ page }) => {
  const feed = page.getByRole("region", { name: "What happened" });
  await expect(feed.getByText(/ticket solved/).first()).toBeVisible();
  await feed.getByRole("radio", { name: "Created, reopened and bad ratings" }).click();
  await expect(page).toHaveURL(/feed=bad/);
  await expect(feed.getByText(/ticket solved/)).toHaveCount(0);
  const account = feed.getByRole("listitem").first().getByRole("link").first();
  const name = (await account.innerText()).trim();
  await account.click();
  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
});

test("columns can be chosen, an attribute among them, and stay in the URL", async ({ page, product }) => {
  const { attributes } = await product.worstAccount();
  const key = Object.keys(attributes)[0] ?? "";
  const header = page.getByRole("grid", { name: "Accounts" }).getByRole("columnheader", { name: key, exact: true });
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: key, exact: true }).click();
  await page.keyboard.press("Escape");
  await expect(header).toBeAttached();
  await expect(page).toHaveURL(/[?&]columns=/);
  await page.reload();
  await expect(header).toBeAttached();
});

test("the CSV holds the accounts that the filters leave, in the order shown", async ({ page, product }) => {
  const { owner } = await product.worstAccount();
  const filter = `owner=${encodeURIComponent(owner?.email ?? "")}`;
  await page.goto(`/?${filter}&sort=name`);
  const shown = page.getByRole("grid", { name: "Accounts" }).getByRole("rowheader");
  const theirs = await product.api<Listed<AccountRow>>(
    "GET",
    `/api/v1/accounts?ownerEmail=${encodeURIComponent(owner?.email ?? "")}&sort=name&limit=500`,
  );
  await expect(shown.first()).toHaveText(theirs.items[0]?.name ?? "");
  const download = page.waitForEvent("download");
  await page.getByRole("search", { name: "Filters of the accounts" }).getByRole("link", { name: "CSV" }).click();
  const stream = await (await download).createReadStream();
  const text = Buffer.concat(await stream.toArray()).toString("utf8");
  const rows: Record<string, string>[] = parse(text, { columns: true, bom: true });
  expect(rows.map(({ name }) => name)).toEqual(theirs.items.map(({ name }) => name));
});

test("when the server stops answering, the old rows stay and are marked as old", async ({ page }) => {
  const rows = page.getByRole("grid", { name: "Accounts" }).getByRole("rowheader");
  await page.clock.install();
  await page.reload();
  await expect(rows.first()).toBeVisible();
  const name = await rows.first().innerText();
  await page.route("**/api/v1/**", (route) => route.abort());
  // Back at the window after a minute: everything is asked again, thrice.
  await page.clock.runFor(60_000);
  await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
  await page.clock.runFor(10_000);
  await expect(page.getByText(/Could not refresh what happened/)).toBeVisible();
  await expect(page.getByText(/What is shown stays usable/)).toBeVisible();
  await expect(rows.first()).toHaveText(name);
});

test("a question that fails is never shown as nothing, and can be asked again", async ({ page }) => {
  const rows = page.getByRole("grid", { name: "Accounts" }).getByRole("rowheader");
  await page.route("**/api/v1/accounts?*", (route) => route.abort());
  await page.getByRole("radio", { name: "7 days", exact: true }).click();
  await expect(page.getByText("Could not load the accounts")).toBeVisible();
  await page.unroute("**/api/v1/accounts?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(rows.first()).toBeVisible();
});

test("a failing connection says on every screen what happened, what still works and what to do", async ({ page }) => {
  await page.route("**/api/v1/connections?*", async (route) => {
    const answer = await (await route.fetch()).json();
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const failure = { code: "auth_expired", message: "Zendesk refuses the login.", action: "Change the login.", since };
    answer.items = answer.items.map((connection: object) => ({ ...connection, state: "failing", failure }));
    await route.fulfill({ json: answer });
  });
  await page.goto("/settings");
  const notice = page.getByRole("alert").filter({ hasText: "does not sync: Zendesk refuses the login." });
  await expect(notice).toContainText("What was read before stays");
  await expect(notice).toContainText("Change the login.");
  await notice.getByRole("link", { name: "Open the connection" }).click();
  await expect(page).toHaveURL(/\/connections\/\d+/);
});

test("without an answer the screen stays, says since when nothing is new, and claims no state", async ({
  page,
  context,
  product,
}) => {
  const rows = page.getByRole("grid", { name: "Accounts" }).getByRole("rowheader");
  const silence = page.getByText("Nothing new is shown since");
  await expect(page.getByText("all fresh")).toBeVisible();
  // The bar takes room from the table, which keeps fewer rows in the document then.
  const firstRows = async () => (await rows.allInnerTexts()).slice(0, 5);
  const before = await firstRows();
  for (const [begin, end] of [
    [() => context.setOffline(true), () => context.setOffline(false)],
    [() => page.route("**/api/v1/**", (route) => route.abort()), () => page.unrouteAll()],
  ] as const) {
    await begin();
    await expect(silence).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText("state unknown")).toBeVisible();
    expect(await firstRows()).toEqual(before);
    await end();
    await expect(silence).toBeHidden({ timeout: 30_000 });
    await expect(page.getByText("all fresh")).toBeVisible();
  }
  await page.route("**/api/v1/**", (route) => route.abort());
  await expect(silence).toBeVisible({ timeout: 30_000 });
  await product.expectAccessible();
});
