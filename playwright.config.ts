import { defineConfig, devices } from "@playwright/test";

const { CHROMIUM_PATH, CHROMIUM_LIBRARY_PATH, CHROMIUM_FONTCONFIG_PATH, E2E_BASE_URL } = process.env;

// A packaged Chromium brings libraries and fonts of its own; a system's needs none.
const browserEnvironment = {
  ...(CHROMIUM_LIBRARY_PATH ? { LD_LIBRARY_PATH: CHROMIUM_LIBRARY_PATH } : {}),
  ...(CHROMIUM_FONTCONFIG_PATH ? { FONTCONFIG_PATH: CHROMIUM_FONTCONFIG_PATH } : {}),
};

export default defineConfig({
  testDir: "test/e2e",
  testMatch: "**/*.spec.ts",
  globalSetup: "./test/e2e/global-setup.ts",
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 60_000,
  reporter: "list",
  use: {
    ...devices["Desktop Chrome"],
    ...(E2E_BASE_URL ? { baseURL: E2E_BASE_URL } : {}),
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    trace: "off",
    launchOptions: {
      executablePath: CHROMIUM_PATH ?? "/usr/bin/chromium",
      env: { ...process.env, ...browserEnvironment } as Record<string, string>,
      args: [
        // It opens our own pages only, and containers refuse the sandbox to root and others alike.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
