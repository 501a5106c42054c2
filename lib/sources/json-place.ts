/** Where a text stops being JSON, and what would have been right there. Pure; null for text that is JSON. */
export interface JsonPlace {
  /** From 1. */
  line: number;
  column: number;
  expected: string;
}

const token = {
  space: /[ \t\n\r]*/y,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON's strings hold none of them
  string: /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y,
  plain: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y,
};

type Expectation = "value" | "value or ]" | "key" | "key or }" | ":" | ", or }" | ", or ]" | "end";

const words: Record<Expectation, string> = {
  value: "a value",
  "value or ]": "a value or ]",
  key: "a name in double quotes",
  "key or }": "a name in double quotes or }",
  ":": "a colon",
  ", or }": "a comma or }",
  ", or ]": "a comma or ]",
  end: "the end of the text",
};

export function placeOfJsonError(text: string): JsonPlace | null {
  const open: ("{" | "[")[] = [];
  let expected: Expectation = "value";
  let at = 0;
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found !== null;
  };
  const after = (): Expectation => (open.length === 0 ? "end" : open.at(-1) === "{" ? ", or }" : ", or ]");
  const close = () => {
    open.pop();
    at += 1;
    return after();
  };
  for (;;) {
    skip(token.space);
    const next = text[at];
    if (next === undefined && expected === "end") return null;
    if (expected.startsWith("value")) {
      if (next === "{" || next === "[") {
        open.push(next);
        at += 1;
        expected = next === "{" ? "key or }" : "value or ]";
      } else if (next === "]" && expected === "value or ]") expected = close();
      else if (skip(token.string) || skip(token.plain)) expected = after();
      else break;
    } else if (expected.startsWith("key")) {
      if (next === "}" && expected === "key or }") expected = close();
      else if (skip(token.string)) expected = ":";
      else break;
    } else if (next === ":" && expected === ":") {
      at += 1;
      expected = "value";
    } else if (next === "," && expected.startsWith(",")) {
      at += 1;
      expected = open.at(-1) === "{" ? "key" : "value";
    } else if ((next === "}" && expected === ", or }") || (next === "]" && expected === ", or ]")) {
      expected = close();
    } else break;
  }
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, expected: words[expected] };
}
