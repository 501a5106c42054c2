import { describe, expect, it } from "vitest";
import { parseInstant, parseUsualInstant } from "#lib/zendesk/dates.ts";
import { cleanText, cutAt } from "#lib/zendesk/text.ts";

describe("the gate for text", () => {
  it("removes NUL and lone surrogates and nothing else", () => {
    expect(cleanText("a\u0000b")).toBe("ab");
    expect(cleanText("x\ud83dy")).toBe("x\ufffdy");
    expect(cleanText("🚀 👨‍👩‍👧 Løst")).toBe("🚀 👨‍👩‍👧 Løst");
  });

  it("cuts between code points", () => {
    expect(cutAt("🚀🚀🚀", 2)).toBe("🚀🚀");
    expect(cleanText("🚀".repeat(10_000), 5_000)).toBe("🚀".repeat(5_000));
    expect(cleanText("abc", 2)).toBe("ab");
  });
});

describe("the reader of dates", () => {
  it.each([
    ["2023-09-01T10:00:00Z", "2023-09-01T10:00:00.000Z"],
    ["2025-09-03 12:56:17.000000000 +0000", "2025-09-03T12:56:17.000Z"],
    ["2025-09-03T12:56:17.123456+02:00", "2025-09-03T10:56:17.123Z"],
    ["2025-09-03", "2025-09-03T00:00:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    [1_700_000_000, "2023-11-14T22:13:20.000Z"],
  ])("reads %s", (text, expected) => {
    expect(parseInstant(text)?.toISOString()).toBe(expected);
    expect(parseUsualInstant(text)?.toISOString()).toBe(expected);
  });

  it.each([
    "",
    "soon",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2023-02-30T00:00:00Z",
    "2023-13-01T00:00:00Z",
    "2023-09-01T25:00:00Z",
    null,
    {},
    Number.NaN,
    -5,
  ])("takes %s for no date at all", (value) => {
    expect(parseInstant(value)).toBeNull();
    expect(parseUsualInstant(value)).toBeNull();
  });
});
