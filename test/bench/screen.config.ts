import { defineConfig } from "@playwright/test";
import browser from "../../playwright.config.ts";

/** `npm run bench:screen`: the browser of the tests, for one measurement on a product of its own. */
const { globalSetup: _shared, ...use } = browser;

export default defineConfig({ ...use, testDir: ".", testMatch: "screen.spec.ts", workers: 1, timeout: 1_800_000 });
