import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const shared: TestProjectInlineConfiguration["test"] = {
  pool: "forks",
  // For machines that do much else: no claim is about time.
  testTimeout: 90_000,
  hookTimeout: 120_000,
  exclude: ["test/e2e/**", "test/bench/**", "node_modules/**"],
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: ["test/support/global-setup.ts"],
    projects: [
      { test: { ...shared, name: "node", environment: "node", include: ["test/**/*.test.ts"] } },
      { test: { ...shared, name: "dom", environment: "happy-dom", include: ["test/**/*.test.tsx"] } },
    ],
  },
});
