/**
 * Takes the README's screenshots of a running product with the full demo:
 * `E2E_BASE_URL=… E2E_ADMIN_EMAIL=… E2E_ADMIN_PASSWORD=… npx tsx test/e2e/screenshots.ts`
 */
import fs from "node:fs";
import path from "node:path";
import { chromium, type Page } from "@playwright/test";
import settings from "../../playwright.config.ts";

const folder = path.join(import.meta.dirname, "screenshots");
const { E2E_BASE_URL = "http://127.0.0.1:3000", E2E_ADMIN_EMAIL = "", E2E_ADMIN_PASSWORD = "" } = process.env;
const pictures = [
  { width: 1440, height: 900, themes: ["light", "dark"], screens: ["portfolio", "account", "matching"] },
  { width: 390, height: 844, themes: ["light"], screens: ["portfolio"] },
] as const;

const browser = await chromium.launch(settings.use?.launchOptions);
fs.mkdirSync(folder, { recursive: true });
try {
  for (const { width, height, themes, screens } of pictures) {
    for (const colorScheme of themes) {
      const context = await browser.newContext({
        baseURL: E2E_BASE_URL,
        viewport: { width, height },
        colorScheme,
        locale: "en-GB",
        timezoneId: "Europe/Berlin",
      });
      const page = await context.newPage();
      await signIn(page);
      for (const screen of screens) {
        await page.goto(await addressOf(page, screen));
        await settle(page);
        await page.screenshot({ path: path.join(folder, `${screen}-${colorScheme}-${width}.png`) });
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
}

async function signIn(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByLabel("E-mail").fill(E2E_ADMIN_EMAIL);
  await page.getByLabel("Password").fill(E2E_ADMIN_PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("grid", { name: "Accounts" }).waitFor();
}

/** The account page is that of the account going wrong: most unsolved tickets of top priority. */
async function addressOf(page: Page, screen: "portfolio" | "account" | "matching"): Promise<string> {
  if (screen === "portfolio") return "/";
  if (screen === "account") return `/accounts/${await firstId(page, "/api/v1/accounts?sort=-topUnsolved&limit=1")}`;
  return `/connections/${await firstId(page, "/api/v1/connections?limit=1")}?tab=matching&match=ambiguous`;
}

async function firstId(page: Page, listing: string): Promise<string> {
  const answer = await page.evaluate(async (path) => (await fetch(path)).json(), listing);
  const { items } = answer as { items: { id: string }[] };
  if (!items[0]) throw new Error(`${listing} is empty: start the product with DEMO=1.`);
  return items[0].id;
}

/** Until every grey shape has become what it stands for. */
async function settle(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => document.querySelector(".animate-shimmer") === null);
}
