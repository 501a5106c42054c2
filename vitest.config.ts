import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Small files that run long begin first, so that none of them runs alone at the end. */
const long = [
  "chaos/chaos",
  "test/bench",
  "zendesk/absences",
  "zendesk/reading",
  "connections/doctor",
  "jobs/takeover",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => long.some((name) => moduleId.endsWith(`${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

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
    sequence: { sequencer: LongestFirst },
    globalSetup: ["test/support/global-setup.ts"],
    projects: [
      { test: { ...shared, name: "node", environment: "node", include: ["test/**/*.test.ts"] } },
      { test: { ...shared, name: "dom", environment: "happy-dom", include: ["test/**/*.test.tsx"] } },
    ],
  },
});
