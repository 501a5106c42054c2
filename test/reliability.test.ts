import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { titlesIn, titlesOf } from "#test/support/test-titles.ts";

/*
 * Holds reliability.md: every requirement has a row, every row a test, and every test that it names is there and runs.
 */

const folder = import.meta.dirname;
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => String(first + n));
const required = [...range(1, 57), "58a", "58b", ...range(59, 125)];

interface Row {
  number: string;
  tests: { file: string; title: string }[];
}

const rows = rowsOf(readFileSync(path.join(folder, "reliability.md"), "utf8"));

/** Rows of the tables: `| 19 | what must hold | [file › title](file)<br>… |`. */
function rowsOf(markdown: string): Row[] {
  return markdown
    .split("\n")
    .filter((line) => /^\| *\d/.test(line))
    .map((line) => {
      const [, number = "", , tests = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return { number, tests: tests === "" ? [] : tests.split("<br>").map(linkOf) };
    });
}

function linkOf(link: string): Row["tests"][number] {
  const [, named = "", title = "", file = ""] = /^\[`([^`]+)` › (.+)\]\(([^)]+)\)$/.exec(link) ?? [];
  return { file: named === file ? file : `${link}: not a link to the file that it names`, title: plain(title) };
}

/** Without the backslashes that keep markdown from reading a title. */
function plain(title: string): string {
  return title.replaceAll(/\\([\\|[\]<>*_`])/g, "$1");
}

test("every requirement has one row, and no row is unknown", () => {
  expect(rows.map(({ number }) => number)).toEqual(required);
});

test("every row has a test", () => {
  expect(rows.filter(({ tests }) => tests.length === 0).map(({ number }) => number)).toEqual([]);
});

test("every test that a row names is there, under this title, and runs", () => {
  const wrong = rows.flatMap(({ number, tests }) =>
    tests.flatMap(({ file, title }) => {
      const place = path.join(folder, file);
      if (!existsSync(place)) return [`${number}: there is no ${file}`];
      const found = titlesIn(place).filter((each) => each.title === title);
      if (found.length === 0) return [`${number}: ${file} has no test “${title}”`];
      return found.some(({ isSkipped }) => isSkipped) ? [`${number}: ${file} › ${title} may not run`] : [];
    }),
  );
  expect(wrong).toEqual([]);
});

describe("the reader of titles", () => {
  test("finds tests of every form, and which of them may not run", () => {
    const source = [
      'test("plain", () => {});',
      '  it("with \\"quotes\\" and (brackets", async () => {});',
      'test.each([["a)", "]"], [`x)`]])(',
      '  "each %s",',
      "  () => {},",
      ");",
      "test.each`a | b`;",
      'it.skip("left out", () => {});',
      'test.runIf(process.platform === "linux")("on servers", () => {});',
      'test.runIf(process.env.CI)("somewhere", () => {});',
      'test.each<[string, number]>([["a", 1]])("typed %s", () => {});',
      '// test("commented out", () => {});',
      'expect(it("in a call")).toBe(1);',
      "test.describe.configure({});",
    ].join("\n");
    expect(titlesOf(source)).toEqual([
      { title: "plain", isSkipped: false },
      { title: 'with "quotes" and (brackets', isSkipped: false },
      { title: "each %s", isSkipped: false },
      { title: "left out", isSkipped: true },
      { title: "on servers", isSkipped: false },
      { title: "somewhere", isSkipped: true },
      { title: "typed %s", isSkipped: false },
    ]);
    expect(titlesOf('describe.skip("x", () => {\n  test("y", () => {});\n});')).toEqual([
      { title: "y", isSkipped: true },
    ]);
  });
});
