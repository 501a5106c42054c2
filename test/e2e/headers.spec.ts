import { expect, test } from "@playwright/test";

const base = () => process.env.E2E_BASE_URL ?? "";
const screens = ["/", "/accounts/1", "/connections", "/connections/1", "/settings?tab=users"];

test("the image optimizer answers nobody", async ({ request }) => {
  for (const url of ["/icon.png", "https://example.com/x.avif", "http://169.254.169.254/latest"]) {
    const answer = await request.get(`${base()}/_next/image?w=64&q=75&url=${encodeURIComponent(url)}`);
    expect([url, answer.status()]).toEqual([url, 404]);
  }
});

test("every screen comes with a nonce of its own, and no script without it", async ({ request }) => {
  const nonces = new Set<string>();
  for (const path of ["/sign-in", "/sign-in"]) {
    const answer = await request.get(`${base()}${path}`);
    const policy = answer.headers()["content-security-policy"] ?? "";
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(nonce).toMatch(/^.{20,}$/);
    nonces.add(nonce);
    const scripts = (await answer.text()).match(/<script\b[^>]*>/g) ?? [];
    expect(scripts.length).toBeGreaterThan(1);
    expect(scripts.filter((script) => !script.includes(`nonce="${nonce}"`))).toEqual([]);
    expect(answer.headers()).not.toHaveProperty("x-powered-by");
  }
  expect(nonces.size).toBe(2);
});

test("no screen shows anything without a session, however it is asked for", async ({ request, playwright }) => {
  const { E2E_ADMIN_EMAIL: email = "", E2E_ADMIN_PASSWORD: password = "" } = process.env;
  const person = await playwright.request.newContext();
  const { csrfToken } = await (await person.get(`${base()}/api/auth/csrf`)).json();
  const form = { csrfToken, email, password, json: "true" };
  await person.post(`${base()}/api/auth/callback/credentials`, { form });
  for (const path of screens) expect(await (await person.get(`${base()}${path}`)).text()).toContain(email);
  await person.dispose();

  const ways: Record<string, string>[] = [
    { rsc: "1", "next-router-state-tree": "%5B%22%22%5D" },
    { rsc: "1", "next-router-prefetch": "1", "next-url": "/" },
    { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" },
    { "x-middleware-subrequest": "src/proxy:src/proxy:src/proxy:src/proxy:src/proxy" },
    { "x-nextjs-data": "1", "x-matched-path": "/sign-in" },
    { "next-action": "0".repeat(42) },
    { cookie: "bellwether-session=eyJhbGciOiJkaXIifQ..x.x.x" },
  ];
  for (const path of screens) {
    const plain = await request.get(`${base()}${path}`);
    expect([path, new URL(plain.url()).pathname]).toEqual([path, "/sign-in"]);
    for (const headers of ways) {
      const text = await (await request.get(`${base()}${path}`, { headers })).text();
      expect([path, headers, text.includes(email)]).toEqual([path, headers, false]);
    }
  }
});

test("a method that an address does not take is refused in the API's own form", async ({ request }) => {
  const answer = await request.delete(`${base()}/api/v1/accounts`);
  expect([answer.status(), answer.headers().allow]).toEqual([405, "GET"]);
  expect(await answer.json()).toMatchObject({
    error: { code: "not_found", message: expect.stringContaining("takes GET") },
  });
});
