import { describe, expect, onTestFinished, test } from "vitest";
import { kept, opened, withoutSecrets } from "#lib/destinations/exchange-text.ts";
import { registerSecrets } from "#lib/log.ts";

/** Such as a database's password may be; and others that stand in JSON as its own signs do. */
const secrets = ["1234567890", "nature-11", 'quo"ted\\99'];
const [digits = "", afterEscape = "", quoted = ""] = secrets;
registerSecrets(secrets);

const sent = {
  total: 1234567890,
  longer: -91234567890.5,
  near: 123456789,
  text: `${digits} and ${quoted}`,
  line: `a\n${afterEscape}\nature-12`,
  deep: [{ [digits]: [digits, null, true] }],
  packed: JSON.stringify({ key: quoted }),
};
const shown = {
  total: "[secret]",
  longer: "-9[secret].5",
  near: 123456789,
  text: "[secret] and [secret]",
  line: "a\n[secret]\nature-12",
  deep: [{ "[secret]": ["[secret]", null, true] }],
  packed: '{"key":"[secret]"}',
};

describe("secrets in JSON (row 115)", () => {
  test("are taken out of its values and keys, whatever they are made of, and it stays JSON", () => {
    expect(withoutSecrets(sent)).toEqual(shown);
    const text = kept(JSON.stringify(sent));
    expect(opened(text)).toEqual(shown);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  test("are looked for once each in all of it, however many are known and however many values it has", () => {
    const many = Array.from({ length: 300 }, (_, n) => `rotated-token-${n}`);
    registerSecrets(many);
    const values = Array.from({ length: 200 }, (_, n) => `value ${n}`);
    const { includes } = String.prototype;
    let searches = 0;
    String.prototype.includes = function (this: string, ...given) {
      searches++;
      return includes.apply(this, given);
    };
    onTestFinished(() => {
      String.prototype.includes = includes;
    });
    expect(withoutSecrets([...values, many[7], `the ${many[9]}!`])).toEqual([...values, "[secret]", "the [secret]!"]);
    expect(searches).toBeLessThan(10_000);
  });

  test("that stand in JSON inside of a text are found there too", () => {
    const packed = JSON.stringify({ key: quoted });
    expect(withoutSecrets({ digits, packed })).toEqual({ digits: "[secret]", packed: '{"key":"[secret]"}' });
  });

  test("leave the rest as it was said, numbers that are too long for us among it", () => {
    const said = '{ "id": 90071992547409931, "total": 1234567890, "text": "\\u00e9\\/" }';
    expect(kept(said)).toBe('{ "id": 90071992547409931, "total": "[secret]", "text": "\\u00e9\\/" }');
    expect(kept('{ "id": 90071992547409931 }')).toBe('{ "id": 90071992547409931 }');
  });

  test.each([
    ["no JSON", `<p>"${digits}</p>`, '<p>"[secret]</p>'],
    ["JSON that breaks off", `{"total":${digits},"text":"x`, '{"total":[secret],"text":"x'],
    ["an address", `/api/v2/users/${digits}?a=${encodeURIComponent(quoted)}`, "/api/v2/users/[secret]?a=[secret]"],
  ])("are taken out of %s as well", (_what, text, clean) => {
    expect(kept(text)).toBe(clean);
  });
});
