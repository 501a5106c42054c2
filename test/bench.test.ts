import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Row } from "./bench/table.ts";

test("the benchmark runs at a small size, every figure is a number, and a rebuild after its random history repairs nothing", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-bench-test-"));
  const json = path.join(folder, "rows.json");
  const size = ["--tickets", "2000", "--accounts", "50", "--rounds", "1", "--json", json];
  // On the server of the test run, so that it starts none of its own.
  const env = { ...process.env, DATABASE_URL: process.env.TEST_DATABASE_URL };
  try {
    const words = ["--expose-gc", "--import", "tsx", "test/bench/main.ts", ...size];
    const { stdout } = await promisify(execFile)(process.execPath, words, { env, timeout: 110_000 });
    const rows: Row[] = JSON.parse(fs.readFileSync(json, "utf8"));

    const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22];
    // Row 17 needs a login that the policies do not bind.
    expect([...new Set(rows.map((row) => Number(row.number)))].filter((number) => number !== 17)).toEqual(numbers);
    for (const row of rows) {
      expect([row.ours, row.limit, row.ratio].every(Number.isFinite), row.what).toBe(true);
      expect(stdout).toContain(row.what);
    }
    expect(rows.filter((row) => row.number === "21").map((row) => row.ours)).toEqual([0]);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);
