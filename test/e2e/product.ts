import AxeBuilder from "@axe-core/playwright";
import { type BrowserContext, test as base, expect as baseExpect, type Page } from "@playwright/test";

/** Waits long enough for a machine that has other work as well. */
export const expect = baseExpect.configure({ timeout: 15_000 });

export interface AccountRow {
  id: string;
  name: string;
  owner: { email: string; name: string | null } | null;
  attributes: Record<string, string>;
  metrics: Record<"ticketsTotal" | "ticketsUnsolved" | "topUnsolved" | "ticketsCreated" | "topCreated", number>;
}
export interface Listed<Item> {
  items: Item[];
  total?: number;
}

/** What the browser tests say of the product: verbs a person would use. */
interface Product {
  /** Whatever is opened from now on is opened by the first administrator. */
  signIn(): Promise<void>;
  /** Calls the HTTP API as a program would. */
  api<Answer>(method: string, path: string, body?: unknown): Promise<Answer>;
  /** The account with most unsolved tickets of top priority: the one that goes wrong. */
  worstAccount(): Promise<AccountRow>;
  /** An account with unsolved tickets, none of top priority: whoever changes Zendesk does it there, away from the other tests. */
  calmAccount(): Promise<AccountRow>;
  /** The address of the demo's connection. */
  connectionPath(): Promise<string>;
  /** Fails when axe finds a breach of WCAG 2.2 AA on the page as it stands, in either theme. */
  expectAccessible(): Promise<void>;
}

type Cookies = Awaited<ReturnType<BrowserContext["cookies"]>>;

export const test = base.extend<{ product: Product }, { synced: undefined; admission: { cookies: Cookies | null } }>({
  /** The numbers of the demo hold still once its first sync is through. */
  synced: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs
    async ({}, use) => {
      await expect(async () => {
        const { items } = await api<Listed<Connection>>("GET", "/api/v1/connections");
        expect(items.flatMap(({ streams }) => streams).map(({ freshThrough }) => freshThrough)).not.toContain(null);
        expect(items).not.toEqual([]);
      }).toPass({ timeout: 180_000, intervals: [1_000] });
      await use(undefined);
    },
    { scope: "worker", auto: true, timeout: 200_000 },
  ],
  // The way through the form is a test of its own; the others keep its cookie.
  admission: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from the pattern what a fixture needs
    async ({}, use) => use({ cookies: null }),
    { scope: "worker" },
  ],
  page: async ({ page }, use) => {
    const goto = page.goto.bind(page);
    page.goto = async (...where) => {
      const answer = await goto(...where);
      await expectAlive(page);
      return answer;
    };
    await withoutComplaints(page, use);
  },
  product: async ({ page, admission }, use) => {
    await use({
      signIn: async () => {
        if (admission.cookies) return page.context().addCookies(admission.cookies);
        await page.goto("/");
        await signInAs(page, process.env.E2E_ADMIN_EMAIL ?? "", process.env.E2E_ADMIN_PASSWORD ?? "");
        admission.cookies = await page.context().cookies();
      },
      api,
      worstAccount: async () => {
        const { items } = await api<Listed<AccountRow>>("GET", "/api/v1/accounts?sort=-topUnsolved&limit=1");
        if (!items[0]) throw new Error("The demo has no accounts.");
        return items[0];
      },
      calmAccount: async () => {
        const { items } = await api<Listed<AccountRow>>("GET", "/api/v1/accounts?sort=topUnsolved&limit=50");
        const calm = items.find(({ metrics }) => metrics.topUnsolved === 0 && metrics.ticketsUnsolved > 0);
        if (!calm) throw new Error("The demo has no account that is calm.");
        return calm;
      },
      connectionPath: async () => {
        const { items } = await api<Listed<Connection>>("GET", "/api/v1/connections");
        return `/connections/${items[0]?.id}`;
      },
      expectAccessible: () => expectAccessible(page),
    });
  },
});

interface Connection {
  id: string;
  streams: { freshThrough: string | null }[];
}

/** Waits until React answers every button: a click that comes before opens nothing. */
export async function expectAlive(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.querySelectorAll("button")].every((button) =>
      Object.keys(button).some((key) => key.startsWith("__reactProps")),
    ),
  );
}

/** Fails a test during which the browser's console held an error. */
export async function withoutComplaints(page: Page, use: (page: Page) => Promise<void>): Promise<void> {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !isExpected(message.text())) complaints.push(message.text());
  });
  await use(page);
  expect(complaints, "the browser's console holds no error").toEqual([]);
}

/** The browser itself logs every answer that is not 2xx; tests that provoke one look at the screen for it. */
function isExpected(text: string): boolean {
  return text.startsWith("Failed to load resource");
}

/** Fills the form that stands on the page and waits until it has led on. */
export async function signInAs(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).not.toHaveURL(/\/sign-in/);
  await expectAlive(page);
}

function api<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  return callApi(process.env.E2E_BASE_URL ?? "", process.env.E2E_API_KEY ?? "", method, path, body);
}

/** Calls the HTTP API of a product with a key. Throws what was answered when it is not 2xx. */
export async function callApi<Answer>(
  base: string,
  key: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return (text ? JSON.parse(text) : undefined) as Answer;
}

/** Fails when axe finds a breach of WCAG 2.2 AA on the page as it stands, in either theme. */
export async function expectAccessible(page: Page): Promise<void> {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  expect(await breaches(axeOn(page).withTags(tags)), "light").toEqual([]);
  // The themes differ in nothing but colours.
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await breaches(axeOn(page).withRules(["color-contrast"])), "dark").toEqual([]);
  await page.emulateMedia({ colorScheme: "light" });
}

/**
 * What keeps to a rule need not be described node by node, nor gathered from frames, which no screen has: on long tables both
 * take most of the time.
 */
function axeOn(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).options({ resultTypes: ["violations"] }).setLegacyMode(true);
}

async function breaches(axe: AxeBuilder): Promise<string[]> {
  const { violations } = await axe.analyze();
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(" | ")})`);
}
