import { expect, test } from "#test/e2e/product.ts";

// A step is named after its screen and a breach shows its element: a trace would only cost time.
test.use({ trace: "off" });

/** Every screen at both widths and in both themes: no breach of WCAG 2.2 AA, nothing wider than the window. */
const widths = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

for (const size of widths) {
  test.describe(`${size.width} px`, () => {
    test.use({ viewport: size, colorScheme: "light" });

    test("the sign-in is accessible and fits", async ({ page, product }) => {
      await page.goto("/sign-in");
      await expect(page.getByLabel("E-mail")).toBeVisible();
      await product.expectAccessible();
      await expectToFit(page);
    });

    test("the screens are accessible and fit", async ({ page, product }) => {
      test.setTimeout(480_000);
      await product.signIn();
      const { id } = await product.worstAccount();
      const connection = await product.connectionPath();
      const account = `/accounts/${id}`;
      const screens: [path: string, shows: () => Promise<void>][] = [
        ["/", () => expect(page.getByRole("grid", { name: "Accounts" }).getByRole("row").nth(1)).toBeVisible()],
        [account, () => expect(page.getByText("Tickets a week")).toBeVisible()],
        [`${account}?tab=tickets`, () => expect(page.getByRole("grid", { name: "Tickets" })).toBeVisible()],
        [`${account}?tab=people`, () => expect(page.getByRole("grid", { name: "People" })).toBeVisible()],
        [`${account}?tab=organizations`, () => expect(page.getByRole("tabpanel").getByRole("listitem")).toBeVisible()],
        [`${account}?number=topUnsolved`, () => expect(page.getByRole("dialog").getByRole("row").nth(1)).toBeVisible()],
        ["/accounts/987654321", () => expect(page.getByText("This account does not exist")).toBeVisible()],
        ["/connections", () => expect(page.getByText("zendesk.com").first()).toBeVisible()],
        ["/connections/new", () => expect(page.getByLabel("Subdomain")).toBeVisible()],
        [connection, () => expect(page.getByRole("rowheader", { name: "Ticket events" })).toBeVisible()],
        [`${connection}?tab=runs`, () => expect(page.getByText("succeeded").first()).toBeVisible()],
        [`${connection}?tab=matching`, () => expect(page.getByRole("heading", { name: "Match keys" })).toBeVisible()],
        [`${connection}?tab=settings`, () => expect(page.getByRole("heading", { name: "Leave" })).toBeVisible()],
        ["/settings", () => expect(page.getByLabel("Windows in days")).toBeVisible()],
        ["/settings?tab=accounts", () => expect(page.getByRole("button", { name: /Choose a CSV/ })).toBeVisible()],
        ["/settings?tab=users", () => expect(page.getByRole("button", { name: "Add a person" })).toBeVisible()],
        ["/settings?tab=keys", () => expect(page.getByRole("button", { name: "Make a key" })).toBeVisible()],
        ["/settings?tab=metrics", () => expect(page.getByText("topUnsolved")).toBeVisible()],
      ];
      for (const [path, shows] of screens) {
        await test.step(path, async () => {
          await page.goto(path);
          await shows();
          await product.expectAccessible();
          await expectToFit(page);
        });
      }
    });
  });
}

async function expectToFit(page: import("@playwright/test").Page): Promise<void> {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow, "the page is no wider than the window").toBeLessThanOrEqual(0);
}
