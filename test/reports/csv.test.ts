import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { csvLines, csvResponse, formulaOriginal, formulaSafe } from "#lib/reports/csv.ts";

const dangerous = [
  ...["=1+1", "+1+1", "-1+1", "@SUM(A1)", "|calc", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\u200b=1"],
  ...["＝1+1", "＋1", "－1+1", "＠x", "'=1", "''=1", "'\t=1", "-1,2,3", "=", "-"],
];
const harmless = [
  "Acme",
  "",
  "a=b",
  "1",
  "-5",
  "-5.25",
  "3,5",
  "12345678901234567890",
  "'quoted'",
  "'-5",
  "O'Brien",
  "🚀",
  " x",
];

test.each(dangerous)("no cell starts a formula: %j", (text) => {
  expect(formulaSafe(text)).toBe(`'${text}`);
});

test.each(harmless)("other text and plain numbers stay as they are: %j", (text) => {
  expect(formulaSafe(text)).toBe(text);
});

test.each([...dangerous, ...harmless])("reading back gives the original: %j", (text) => {
  expect(formulaOriginal(formulaSafe(text))).toBe(text);
});

test("lines quote every cell and survive any text", () => {
  const texts = [...dangerous, ...harmless, 'say "hi"', "a,b;c\td", "line\r\nbreak"];
  const lines = csvLines([texts, [null, 0, -3, 1.5, true]]);
  const [first = [], second] = parse(lines, { relax_column_count: true }) as string[][];
  expect(first.map(formulaOriginal)).toEqual(texts);
  expect(second).toEqual(["", "0", "-3", "1.5", "true"]);
  expect(lines.startsWith("\ufeff")).toBe(false);
});

test("a download is read as it is taken, and left off when the client goes", async () => {
  let made = 0;
  let ended = false;
  async function* endless() {
    try {
      for (;;) {
        made += 1;
        yield [[made]];
      }
    } finally {
      ended = true;
    }
  }
  const response = await csvResponse("numbers of “x”.csv", ["n"], endless());
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="numbers-of-x-.csv"');
  const reader = response.body?.getReader();
  for (let i = 0; i < 3; i += 1) await reader?.read();
  expect(made).toBeLessThan(10);
  await reader?.cancel();
  expect(ended).toBe(true);
});

test("an error before the first row is an error, not a broken file", async () => {
  // biome-ignore lint/correctness/useYield: it fails before it has anything.
  async function* failing(): AsyncGenerator<string[][]> {
    throw new Error("no such window");
  }
  await expect(csvResponse("x.csv", ["a"], failing())).rejects.toThrow("no such window");
});
