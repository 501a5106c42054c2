import { spawn } from "node:child_process";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { logFailedRequest } from "#lib/uncaught.ts";

/* What nobody catches is a line of the log, without secrets; whether the process goes on is not changed by that. */

const root = path.resolve(import.meta.dirname, "..");
const secret = "canary-secret-4711";

interface Ended {
  code: number | null;
  lines: Record<string, unknown>[];
  stderr: string;
}

/** A process whose log names the secret; `listeners` are others', `fails` is what goes wrong in it. */
async function run(fails: string, listeners = ""): Promise<Ended> {
  const script = `
    const { log, registerSecrets } = await import("#lib/log.ts");
    const { logUncaught } = await import("#lib/uncaught.ts");
    const secret = "${secret}";
    registerSecrets([secret]);
    ${listeners}
    logUncaught(log);
    setTimeout(() => log.info("went on"), 100);
    ${fails}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { cwd: root });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const lines = stdout.split("\n").filter(Boolean);
  return { code, lines: lines.map((line) => JSON.parse(line)), stderr };
}

const failed = (origin: string) => ({
  level: "error",
  origin,
  err: { type: "Error", message: "refused [secret]", stack: expect.stringContaining("refused [secret]") },
  msg: "an error was caught by nobody",
});
const rejects = `Promise.reject(new Error("refused " + secret));`;
const throws = `setTimeout(() => { throw new Error("refused " + secret); });`;
/** As the framework listens: it writes to standard error by itself and keeps the process. */
const framework = (event: string) => `process.on("${event}", (error) => console.error("⨯", error));`;

describe("an error that nobody catches", () => {
  test.each([
    ["rejection", rejects],
    ["exception", throws],
  ])("ends the process as it always did, and is logged: %s", async (_kind, fails) => {
    const { code, lines, stderr } = await run(fails);
    expect(code).toBe(1);
    expect(lines).toMatchObject([failed("uncaughtException")]);
    expect(stderr).not.toContain(secret);
  });

  test.each([
    ["unhandledRejection", rejects],
    ["uncaughtException", throws],
  ])("does not end a process that another keeps, and what that writes names no secret: %s", async (event, fails) => {
    const { code, lines, stderr } = await run(fails, framework(event));
    expect(code).toBe(0);
    expect(lines).toMatchObject([failed(event), { msg: "went on" }]);
    expect(stderr).toContain("⨯ Error: refused [secret]");
    expect(stderr).not.toContain(secret);
  });

  test("is logged as what it is where it is no error at all", async () => {
    const { lines } = await run(`Promise.reject({ token: "abc", status: 502 });`, framework("unhandledRejection"));
    expect(lines[0]).toMatchObject({ err: { token: "[secret]", status: 502 }, msg: "an error was caught by nobody" });
  });
});

test("a request that fails in the framework is one line, without its query", () => {
  const lines: object[] = [];
  const log = { error: (line: object) => void lines.push(line) };
  const error = new Error("no such thing");
  const request = {
    method: "GET",
    path: "/accounts/1?token=abc",
    route: "/(dashboard)/accounts/[accountId]",
    kind: "render",
  };
  logFailedRequest(log as unknown as Parameters<typeof logFailedRequest>[0], error, request);
  expect(lines).toEqual([{ ...request, path: "/accounts/1", err: error }]);
});
