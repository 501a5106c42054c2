import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { variants } from "./variants.ts";

const root = new URL("../../", import.meta.url);

describe("the list of broken variants", () => {
  it.each(variants.flatMap(({ name, replacements }) => replacements.map((replacement) => ({ name, ...replacement }))))(
    "still fits the sources: $name in $file",
    ({ file, search, replace }) => {
      const source = readFileSync(new URL(file, root), "utf8");
      expect(source.split(search)).toHaveLength(2);
      expect(source.replace(search, () => replace)).not.toBe(source);
    },
  );

  it("names each variant once", () => {
    expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
  });
});
