import http from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { expect, test } from "#test/e2e/product.ts";
import { freePort, startProduct } from "#test/e2e/started-product.ts";

/** A company's issuer: whoever types a name is that person; names that begin with "un" have no verified e-mail. */
function startIssuer(product: string): Promise<{ url: string; close: () => void }> {
  return new Promise((resolve) => {
    const server = http.createServer();
    server.listen(0, "127.0.0.1", () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const provider = new Provider(url, {
        clients: [
          {
            client_id: "bellwether",
            client_secret: "client-secret",
            redirect_uris: [`${product}/api/auth/callback/oidc`],
            response_types: ["code"],
            grant_types: ["authorization_code"],
          },
        ],
        pkce: { required: () => true },
        claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
        conformIdTokenClaims: false,
        findAccount: (_: unknown, id: string) => ({
          accountId: id,
          claims: () => ({ sub: id, email: `${id}@corp.example`, email_verified: !id.startsWith("un"), name: id }),
        }),
        features: { devInteractions: { enabled: true } },
      });
      server.on("request", provider.callback());
      resolve({
        url,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

test("people come in through the company's issuer, unless it has not verified their e-mail", async ({ browser }) => {
  test.setTimeout(120_000);
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const issuer = await startIssuer(base);
  const product = await startProduct({
    PORT: String(port),
    DEMO: "0",
    OIDC_ISSUER: issuer.url,
    OIDC_CLIENT_ID: "bellwether",
    OIDC_CLIENT_SECRET: "client-secret",
    OIDC_NAME: "Corp ID",
  });
  const enter = async (name: string) => {
    const context = await browser.newContext({ baseURL: base });
    const page = await context.newPage();
    await page.goto("/settings");
    await page.getByRole("button", { name: "Continue with Corp ID" }).click();
    await page.locator("input[name=login]").fill(name);
    await page.locator("input[name=password]").fill("any");
    await page.getByRole("button", { name: "Sign-in" }).click();
    await page.getByRole("button", { name: "Continue" }).click();
    return page;
  };
  try {
    const ann = await enter("ann");
    await expect(ann.getByRole("heading", { name: "Settings", level: 1 })).toBeVisible();
    await expect(ann.getByText("viewer", { exact: true })).toBeVisible();
    await ann.goto("/");
    // A workspace of one's own in which nothing is connected: another emptiness than "nothing matches".
    await expect(ann.getByText("Nothing is connected yet")).toBeVisible();

    const unverified = await enter("unverified");
    await expect(unverified.getByRole("alert").filter({ hasText: "has not verified your e-mail" })).toBeVisible();
  } finally {
    await product.stop();
    issuer.close();
  }
});
