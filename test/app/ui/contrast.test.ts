import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The colours of globals.css, as pairs of light and dark. */
const css = readFileSync(new URL("../../../app/globals.css", import.meta.url), "utf8");
const pairs = new Map(
  [...css.matchAll(/^ {2}--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/gm)].map(
    ([, name, light, dark]) => [name ?? "", { light: light ?? "", dark: dark ?? "" }] as const,
  ),
);
pairs.set("on-accent", { light: "#ffffff", dark: "#ffffff" });

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Every pair of the two lists whose contrast is below the minimum, in either theme. */
function below(minimum: number, fronts: string[], grounds: string[]): string[] {
  const failures: string[] = [];
  for (const theme of ["light", "dark"] as const) {
    for (const front of fronts) {
      for (const ground of grounds) {
        const a = pairs.get(front)?.[theme];
        const b = pairs.get(ground)?.[theme];
        if (!a || !b) throw new Error(`globals.css has no pair for ${front} or ${ground}`);
        const ratio = contrast(a, b);
        if (ratio < minimum) failures.push(`${front} on ${ground}, ${theme}: ${ratio.toFixed(2)}`);
      }
    }
  }
  return failures;
}

const grounds = ["canvas", "sunken", "floating", "hover"];

test("text passes 4.5:1 on every ground of both themes", () => {
  expect(below(4.5, ["ink", "muted", "accent"], [...grounds, "accent-soft"])).toEqual([]);
});

test("status, priority and rating colours pass 4.5:1 where they stand as text", () => {
  const colours = ["good", "watch", "bad", "top-priority", "bad-rating"];
  expect(below(4.5, colours, [...grounds, "accent-soft"])).toEqual([]);
});

test("each status colour, and ink, pass 4.5:1 on the status grounds", () => {
  for (const status of ["good", "watch", "bad"]) {
    expect(below(4.5, [status, "ink", "accent"], [`${status}-soft`])).toEqual([]);
  }
});

test("words on filled buttons pass 4.5:1", () => {
  expect(below(4.5, ["on-accent"], ["accent-fill", "bad-fill"])).toEqual([]);
});

test("borders of controls, focus ring and chart marks pass 3:1", () => {
  const marks = ["edge", "accent", "series-1", "series-2", "series-3", "series-4", "series-previous"];
  expect(below(3, marks, ["canvas", "sunken", "floating"])).toEqual([]);
});
