import { describe, expect, it } from "vitest";
import { parseJson, rowTexts, writeOut } from "#lib/zendesk/json.ts";

describe("parseJson", () => {
  it("keeps every digit of integers beyond 2^53 and leaves all else as JSON.parse has it", () => {
    const text = `{"a":9007199254740993,"b":-9223372036854775807,"c":[9007199254740994, 12],"d":9007199254740991,
      "e":1.2345678901234567,"f":12345678901234500e-3,"g":"9007199254740993","h":"say: 9007199254740993 \\" 9007199254740993"}`;
    expect(parseJson(text)).toEqual({
      a: "9007199254740993",
      b: "-9223372036854775807",
      c: ["9007199254740994", 12],
      d: 9007199254740991,
      e: 1.2345678901234567,
      f: 12345678901234.5,
      g: "9007199254740993",
      h: 'say: 9007199254740993 " 9007199254740993',
    });
  });

  it("finds a long number wherever it stands in the text", () => {
    for (let padding = 0; padding < 40; padding++) {
      const text = `{"p":"${"x".repeat(padding)}","id":9007199254740993}`;
      expect(parseJson(text)).toEqual({ p: "x".repeat(padding), id: "9007199254740993" });
    }
  });

  it("keeps hostile keys as own keys of the row alone", () => {
    const row = parseJson('{"__proto__":{"admin":true},"constructor":1,"id":9007199254740993}') as Record<
      string,
      unknown
    >;
    expect(Object.keys(row)).toEqual(["__proto__", "constructor", "id"]);
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it("takes nothing but one whole value", () => {
    for (const text of ["", "{", '{"a":1', '{"a":1}x', "[1,2", '{"id":9007199254740993']) {
      expect(() => parseJson(text)).toThrow(SyntaxError);
    }
  });

  it("bears any depth", () => {
    const deep = `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
    expect(writeOut(parseJson(deep))).toMatch(/nested too deeply|^\{"a":\[/);
  });
});

describe("rowTexts", () => {
  const rows = (list: object[]) => ({ page: JSON.stringify({ tickets: list, end_of_stream: true }), list });

  it("cuts each row out as it came", () => {
    const { page, list } = rows([
      {
        url: "https://a/api/v2/tickets/1.json",
        id: 1,
        subject: 'quote " { and }',
        metric_set: { url: "https://a/m/1", id: 1 },
      },
      {
        url: "https://a/api/v2/tickets/2.json",
        id: 2,
        subject: '{"url":"https://a/api/v2/tickets/3.json"',
        fields: [{ id: 3 }],
      },
      { url: "https://a/api/v2/tickets/3.json", id: 3 },
    ]);
    expect(rowTexts(page, list)).toEqual(list.map((row) => JSON.stringify(row)));
  });

  it("writes rows out where they do not begin with their address, or the page is not compact", () => {
    const plain = rows([{ id: 1 }, { id: 2 }]);
    expect(rowTexts(plain.page, plain.list)).toEqual(['{"id":1}', '{"id":2}']);
    const list = [{ url: "https://a/tickets/1", id: 1 }];
    expect(rowTexts(JSON.stringify({ tickets: list }, null, 2), list)).toEqual([JSON.stringify(list[0])]);
    expect(rowTexts('{"tickets":[null]}', [null as never])).toEqual(["null"]);
  });
});
