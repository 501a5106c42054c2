import { readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { BrokenCopy } from "#test/chaos/broken-copy.ts";
import { biteOf } from "#test/destinations/chaos/bite.ts";
import { variants } from "#test/destinations/chaos/variants.ts";

const root = new URL("../../", import.meta.url);

describe("the list of broken variants", () => {
  test.each(
    variants.flatMap(({ name, replacements }) => replacements.map((replacement) => ({ name, ...replacement }))),
  )("still fits the sources: $name in $file", ({ file, search, replace }) => {
    const source = readFileSync(new URL(file, root), "utf8");
    expect(source.split(search)).toHaveLength(2);
    expect(source.replace(search, () => replace)).not.toBe(source);
  });

  test("names each variant once", () => {
    expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
  });
});

// All of them, under several seeds, are for `npm run chaos:writes:teeth`.
test("the chaos of writes notices that memberships are never ensured", async () => {
  const copy = new BrokenCopy();
  onTestFinished(() => copy.close());
  const { replacements = [] } = variants.find(({ name }) => name === "memberships never ensured") ?? {};
  const bite = () => biteOf(copy, { seed: 1, events: 30 }, process.env.TEST_DATABASE_URL ?? "");
  expect(await copy.broken(replacements, bite)).toMatch(/^user u-\d+ is no member of g-\d+ after m-1-\d+$/);
}, 240_000);
