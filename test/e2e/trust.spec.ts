import type { AccountRow, Listed } from "#test/e2e/product.ts";
import { expect, expectAccessible } from "#test/e2e/product.ts";
import { markDocument, test } from "#test/e2e/trust-ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { poison } from "#test/support/zendesk/poison.ts";

// Runs and checks of a whole account are waited for, on a machine that may have other work.
test.describe.configure({ timeout: 240_000 });

test("a change in Zendesk shows on the open portfolio within seconds: the number flashes, nothing moves", async ({
  page,
  ground,
}) => {
  const { api, demo } = ground;
  const { items } = await api<Listed<AccountRow>>("GET", "/accounts?sort=-topUnsolved&limit=500");
  // Last of all, so that the new number would carry it away if the order were not kept.
  const account = items.findLast(({ metrics }) => metrics.ticketsTotal > 0);
  if (!account) throw new Error("No account has tickets.");
  const { items: organizations } = await api<Listed<{ organizationId: string }>>(
    "GET",
    `/accounts/${account.id}/organizations`,
  );
  await page.goto(`/?q=${encodeURIComponent(account.name.slice(0, 4))}`);
  const grid = page.getByRole("grid", { name: "Accounts" });
  const row = grid.getByRole("row").filter({ hasText: account.name });
  const number = row.getByRole("button", { name: /tickets of top priority unsolved now/ });
  await expect(number).toHaveText(String(account.metrics.topUnsolved));
  await row.getByRole("link", { name: account.name }).focus();
  const orderBefore = await grid.getByRole("rowheader").allInnerTexts();
  const stillThere = await markDocument(page);

  const organizationId = organizations[0]?.organizationId;
  if (!organizationId) throw new Error("The account has no organization.");
  const requesterId = [...demo.world.users.byId.values()].find((user) => user.organizationId === organizationId)?.id;
  if (!requesterId) throw new Error("The organization has nobody.");
  for (const subject of ["Rosters are gone", "Payroll stands still"]) {
    demo.world.tickets.create({ subject, priority: "urgent", organizationId, requesterId });
  }

  await expect(number).toHaveText(String(account.metrics.topUnsolved + 2), { timeout: 20_000 });
  await expect(number.locator(".animate-flash")).toBeVisible();
  await expect(row.getByRole("link", { name: account.name })).toBeFocused();
  expect(await grid.getByRole("rowheader").allInnerTexts()).toEqual(orderBefore);
  await expect(page.getByRole("region", { name: "What happened" }).getByText("Rosters are gone")).toBeVisible();
  await stillThere();
});

test("the doctor asks Zendesk, puts what fails first and leads to where it is mended", async ({ page, ground }) => {
  const { demo, path } = ground;
  await page.goto(`${path}?tab=doctor`);
  const checks = page.getByRole("list", { name: "Checks" }).getByRole("listitem");
  await page.getByRole("button", { name: "Run all checks" }).click();
  await expect(checks.filter({ hasText: "Address" })).toContainText("in order", { timeout: 40_000 });
  const refused = demo.zendesk.faults.add({ path: "/api/v2/groups" }, fault.forbidden("titled"));
  try {
    await page.getByRole("button", { name: "Run all checks" }).click();
    // What was found before is still there while the doctor asks.
    await expect(checks.filter({ hasText: "Address" })).toBeVisible();
    await expect(checks.first()).toContainText("Groups", { timeout: 40_000 });
    await expect(checks.first()).toContainText("failing");
  } finally {
    refused.remove();
  }
  await page.getByRole("button", { name: "Run all checks" }).click();
  await expect(checks.first()).not.toContainText("Groups", { timeout: 40_000 });
});

test("a row that cannot be stored is listed with its reason and its raw text, tried again, set aside, and gone once it is whole", async ({
  page,
  ground,
}) => {
  const { demo, path, sync } = ground;
  const ticket = demo.world.tickets.create({ subject: "Odd one", priority: "low", requesterId: anybody(ground) });
  demo.world.distort("ticket", ticket.id, poison.wrongType("subject"));
  demo.world.tickets.update(ticket.id, { priority: "normal" });
  await expect(async () => {
    await sync("incremental");
    const { streams } = await ground.connection();
    expect(streams.find(({ name }) => name === "tickets")?.held).toBe(1);
  }).toPass({ timeout: 150_000, intervals: [5_000] });

  await page.goto(path);
  await page.getByRole("link", { name: "degraded, 1 held" }).click();
  const row = page.getByRole("list", { name: "Held rows" }).getByRole("listitem");
  await expect(row).toContainText(ticket.id);
  await row.getByRole("button", { name: /^Show raw text: ticket/ }).click();
  await expect(row.getByRole("region", { name: "Raw text" })).toContainText(`"id":${ticket.id}`);
  await row.getByRole("button", { name: /^Try again: ticket/ }).click();
  await expect(page.getByText("1 is still held, for the reason shown.")).toBeVisible();
  await row.getByRole("button", { name: /^Set aside: ticket/ }).click();
  const aside = page.getByRole("list", { name: "Rows set aside" }).getByRole("listitem");
  await expect(aside).toContainText("set aside by");
  expect((await ground.connection()).streams.find(({ name }) => name === "tickets")?.held).toBe(0);
  await expectAccessible(page);

  demo.world.heal("ticket", ticket.id);
  demo.world.tickets.update(ticket.id, { priority: "high" });
  await expect(page.getByText("No row is held: everything that came could be stored.")).toBeVisible({
    timeout: 60_000,
  });
});

test("a check of the past is listed with what it found, day by day and row by row", async ({ page, ground }) => {
  const { path } = ground;
  await page.goto(`${path}?tab=checks`);
  await page.getByRole("button", { name: "Check the past year now" }).click();
  const opener = page.getByRole("row").getByRole("button", { name: /differed.*: show this check/ });
  await expect(opener.first()).toBeVisible({ timeout: 90_000 });
  await opener.first().click();
  const panel = page.getByRole("dialog", { name: "Check of the past" });
  await expect(panel.getByRole("rowheader", { name: "Tickets" }).first()).toBeVisible();
  await panel.getByRole("radio", { name: "All" }).click();
  await expect(panel.getByRole("region", { name: "By day" }).getByRole("row").nth(5)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(panel).toBeHidden();
  await page.getByRole("tab", { name: "Status" }).click();
  await page.getByRole("link", { name: /tickets, .* repaired/ }).click();
  await expect(panel).toBeVisible();
});

test("many that are missing at once wait for a word, which is asked for on every screen and given with its ceiling", async ({
  page,
  ground,
}) => {
  const { demo, path, sync } = ground;
  for (const id of [...demo.world.tickets.byId.keys()].slice(-40)) demo.world.tickets.vanish(id);
  await sync("reconcile");
  const { absences, streams } = await ground.connection();
  const held = absences.find(({ stream }) => stream === "tickets")?.held ?? 0;
  expect(held).toBeGreaterThan(10);
  expect(streams.find(({ name }) => name === "tickets")).toMatchObject({ state: "degraded" });

  await page.goto("/");
  await page.getByRole("region", { name: "What goes wrong" }).getByRole("link", { name: "Decide" }).click();
  await expect(page).toHaveURL(new RegExp(`${path}\\?tab=held`));
  await page.getByRole("button", { name: "Allow the removal…" }).click();
  const dialog = page.getByRole("alertdialog");
  await expect(dialog).toContainText(`Allow up to ${held} tickets to be removed if Zendesk does not find them?`);
  const allow = dialog.getByRole("button", { name: `Allow up to ${held}` });
  await expect(allow).toBeDisabled();
  await expect(dialog.getByRole("textbox")).toBeFocused();
  await dialog.getByRole("textbox").fill(String(held));
  await allow.click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("No stored row is missing in Zendesk, as far as was checked.")).toBeVisible({
    timeout: 90_000,
  });
  await expect(page.getByRole("region", { name: "What goes wrong" })).toBeHidden({ timeout: 45_000 });
  expect((await ground.connection()).absences.filter((absence) => absence.held > 0)).toEqual([]);
});

test("a connection that fails is said on every screen, and no longer once it works again", async ({ page, ground }) => {
  const { demo, path, sync, api } = ground;
  const refused = demo.zendesk.faults.add({ path: /./ }, fault.unauthorized("bearer"));
  await sync("incremental");
  const bar = page.getByRole("region", { name: "What goes wrong" });
  const { items } = await api<Listed<AccountRow>>("GET", "/accounts?limit=1");
  for (const screen of ["/", `/accounts/${items[0]?.id}`, "/connections", path, "/settings"]) {
    await page.goto(screen);
    await expect(bar).toContainText("does not sync");
    await expect(page.getByRole("link", { name: "1 of 1 failing" })).toBeVisible();
  }
  refused.remove();
  expect(await sync("incremental")).toBe("succeeded");
  await expect(bar).toBeHidden({ timeout: 45_000 });
  await expect(page.getByRole("link", { name: "1 of 1 failing" })).toHaveCount(0);
});

for (const size of [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
]) {
  test(`what tells of trust is accessible and fits at ${size.width} px`, async ({ page, ground: { path, sync } }) => {
    await page.setViewportSize(size);
    // There is a check to open, whichever test ran before.
    await sync("reconcile");
    for (const place of ["", "?tab=doctor", "?tab=checks", "?tab=checks&check=latest", "?tab=held"]) {
      await test.step(place || "status", async () => {
        await page.goto(`${path}${place}`);
        if (place.includes("check=")) await expect(page.getByRole("dialog")).toBeVisible();
        else await expect(page.getByRole("tabpanel")).toBeVisible();
        await expect(page.locator(".animate-shimmer")).toHaveCount(0);
        await expectAccessible(page);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(wider).toBeLessThanOrEqual(0);
      });
    }
  });
}

/** Some end user of the account. */
function anybody({ demo }: { demo: { world: import("#test/support/zendesk/world/world.ts").World } }): string {
  const user = [...demo.world.users.byId.values()].find(({ role }) => role === "end-user");
  if (!user) throw new Error("The account has no end users.");
  return user.id;
}
