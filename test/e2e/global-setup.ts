import { randomBytes } from "node:crypto";
import { freePort, startProduct } from "./started-product.ts";

/**
 * Starts the product on a free port with a small demo workspace. Tests find it through E2E_BASE_URL (also `baseURL`),
 * E2E_ADMIN_EMAIL, E2E_ADMIN_PASSWORD and E2E_API_KEY.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  const access = {
    E2E_BASE_URL: `http://127.0.0.1:${await freePort()}`,
    E2E_ADMIN_EMAIL: "ada@example.com",
    E2E_ADMIN_PASSWORD: `pass-${randomBytes(9).toString("hex")}`,
    E2E_API_KEY: randomBytes(32).toString("hex"),
  };
  const product = await startProduct({
    PORT: new URL(access.E2E_BASE_URL).port,
    ADMIN_EMAIL: access.E2E_ADMIN_EMAIL,
    ADMIN_PASSWORD: access.E2E_ADMIN_PASSWORD,
    BOOTSTRAP_API_KEY: access.E2E_API_KEY,
    DEMO: "1",
    DEMO_SIZE: "small",
  });
  Object.assign(process.env, access);
  return product.stop;
}
