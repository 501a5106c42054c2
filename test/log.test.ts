import { expect, test } from "vitest";
import { openLog, registerSecrets } from "#lib/log.ts";

function record(work: (log: ReturnType<typeof openLog>) => void): string[] {
  const lines: string[] = [];
  work(openLog((line) => lines.push(line), "trace"));
  return lines;
}

test("a registered secret is removed from message, fields and stack, also quoted or percent-encoded", () => {
  const secret = 'k9"z/ü+\\secret-value';
  registerSecrets([secret]);
  const lines = record((log) => {
    log.info(`asked with ${secret}`);
    log.info({ url: `https://x.example/?t=${encodeURIComponent(secret)}`, nested: [{ note: secret }] }, "asked");
    log.error({ err: new Error(`refused ${secret}`) }, "failed");
    log.child({ request: secret }).info("child");
  });
  expect(lines).toHaveLength(4);
  for (const line of lines) {
    expect(line).toContain("[secret]");
    expect(line).not.toContain("secret-value");
    expect(() => JSON.parse(line)).not.toThrow();
  }
});

test("fields named like secrets are removed whatever they hold, however deep, and counts stay", () => {
  const [line = ""] = record((log) =>
    log.info(
      { headers: { Authorization: "Bearer abc", cookie: "s=1" }, auth: { refresh_token: "r1" }, tokens: 3 },
      "x",
    ),
  );
  expect(JSON.parse(line)).toMatchObject({
    headers: { Authorization: "[secret]", cookie: "[secret]" },
    auth: { refresh_token: "[secret]" },
    tokens: 3,
  });
});

test("fields of an error named like secrets are removed", () => {
  const error = Object.assign(new Error("refused"), { code: "E401", config: { password: "swordfish" } });
  const [line = ""] = record((log) => log.error({ err: error }, "x"));
  expect(line).not.toContain("swordfish");
  expect(JSON.parse(line).err).toMatchObject({ message: "refused", code: "E401", config: { password: "[secret]" } });
});

test("what a library hangs on an error, its client for one, is left out, and the cause is told", () => {
  class Client {
    host = "db.internal";
  }
  const cause = Object.assign(new Error("terminated"), { client: new Client(), code: "57P01" });
  const [line = ""] = record((log) => log.warn({ err: new Error("a query failed", { cause }) }, "x"));
  expect(line).not.toContain("db.internal");
  expect(JSON.parse(line).err).toMatchObject({
    message: "a query failed",
    cause: { message: "terminated", code: "57P01" },
  });
});

test("text from outside cannot forge a line or steer a terminal", () => {
  const forged = 'ok\n{"level":"info","msg":"all is well"}\r\u001b[2J\u009b31m\u2028\u202e\u0000\u007f';
  const lines = record((log) => log.info({ subject: forged }, forged));
  expect(lines).toHaveLength(1);
  const line = lines[0] ?? "";
  expect(line.slice(0, -1)).toMatch(/^[\u0020-\u007e]*$/);
  expect(line.at(-1)).toBe("\n");
  expect(JSON.parse(line)).toMatchObject({ subject: forged, msg: forged, level: "info" });
});

test("too short a secret does not blot out ordinary words", () => {
  registerSecrets(["and"]);
  const [line = ""] = record((log) => log.info("here and there"));
  expect(JSON.parse(line).msg).toBe("here and there");
});

test("every value of a header that is named like a secret is removed, also where it comes as a list", () => {
  const [line = ""] = record((log) => log.info({ headers: { "set-cookie": ["session=swordfish", "b=2"] } }, "x"));
  expect(JSON.parse(line)).toMatchObject({ headers: { "set-cookie": "[secret]" } });
});

test("a lasting secret is removed however many tokens came after it, and of those the latest", () => {
  registerSecrets(["lasting-secret-value"], "lasting");
  registerSecrets(["used-again-token"]);
  registerSecrets(Array.from({ length: 1999 }, (_, index) => `passing-token-${index}`));
  registerSecrets(["used-again-token"]);
  registerSecrets(Array.from({ length: 1999 }, (_, index) => `later-token-${index}.`));
  const [line = ""] = record((log) =>
    log.info("lasting-secret-value used-again-token later-token-1998. passing-token-0"),
  );
  expect(JSON.parse(line).msg).toBe("[secret] [secret] [secret] passing-token-0");
});
