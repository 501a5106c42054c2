import { spawn } from "node:child_process";
import fs from "node:fs";
import { createServer, type Server } from "node:http";
import path from "node:path";
import { expect, test } from "vitest";
import { type Environment, readConfig, readLaunchConfig } from "#lib/config.ts";
import { claimPort, localAddress, waitUntilReady } from "#lib/launch/address.ts";
import { startChild } from "#lib/launch/child.ts";
import { serverEnvironment } from "#lib/launch/server.ts";

const child = path.resolve(import.meta.dirname, "..", "..", "lib", "launch", "child.ts");
const never = new Promise<never>(() => {});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    }),
  );
}

test("the server is given an environment that is complete, without the administrator's password", () => {
  const given: Environment = {
    ADMIN_EMAIL: "ada@example.com",
    ADMIN_PASSWORD: "correct horse",
    PORT: "0",
    HOST: "0.0.0.0",
  };
  const environment = serverEnvironment(given, {
    config: readLaunchConfig(given),
    databaseUrl: "postgres://bellwether:x@127.0.0.1:1/bellwether",
    secrets: { auth: "a".repeat(43), encryption: "e".repeat(43), cron: "c".repeat(43) },
    dataDir: "/srv/bellwether",
    port: 4321,
    zendeskUrl: "https://{subdomain}.zendesk.com",
  });
  expect(readConfig(environment)).toMatchObject({
    server: { host: "0.0.0.0", port: 4321 },
    demo: false,
    database: { isEmbedded: true },
  });
  expect(environment).toMatchObject({ HOSTNAME: "0.0.0.0", NEXTAUTH_SECRET: "a".repeat(43), AUTH_TRUST_HOST: "1" });
  expect(JSON.stringify(environment)).not.toContain("correct horse");
});

test("with a public address the sign-in's own addresses follow it, not the request's host", () => {
  const given: Environment = { ADMIN_EMAIL: "ada@example.com", PUBLIC_URL: "https://bellwether.example" };
  const environment = serverEnvironment(given, {
    config: readLaunchConfig(given),
    databaseUrl: "postgres://bellwether:x@127.0.0.1:1/bellwether",
    secrets: { auth: "a".repeat(43), encryption: "e".repeat(43), cron: "c".repeat(43) },
    dataDir: "/srv/bellwether",
    port: 3000,
    zendeskUrl: "https://{subdomain}.zendesk.com",
  });
  expect(environment.NEXTAUTH_URL).toBe("https://bellwether.example");
  expect(environment).not.toHaveProperty("AUTH_TRUST_HOST");
});

test("a taken port is refused with a remedy, and port 0 gives a free one", async () => {
  const server = createServer();
  const taken = await listen(server);
  await expect(claimPort("127.0.0.1", taken)).rejects.toThrow(`Port ${taken} on 127.0.0.1 is taken`);
  server.close();
  expect(await claimPort("127.0.0.1", taken)).toBe(taken);
  expect(await claimPort("127.0.0.1", 0)).toBeGreaterThan(0);
});

test("a host that is not ours to listen on is named", async () => {
  await expect(claimPort("192.0.2.1", 3000)).rejects.toThrow("Cannot listen on 192.0.2.1:3000");
});

test.each([
  ["0.0.0.0", "http://127.0.0.1:80"],
  ["::", "http://[::1]:80"],
  ["10.1.2.3", "http://10.1.2.3:80"],
])("a server on %s is reached at %s", (host, address) => {
  expect(localAddress(host, 80)).toBe(address);
});

test("readiness is waited for until the answer is good, and not beyond the server's end", async () => {
  let asked = 0;
  const server = createServer((_, answer) => {
    asked += 1;
    answer.writeHead(asked < 3 ? 503 : 200).end();
  });
  const url = `http://127.0.0.1:${await listen(server)}/`;
  expect(await waitUntilReady(url, { seconds: 10, ended: never })).toBe(true);
  expect(asked).toBe(3);
  server.close();
  expect(await waitUntilReady(url, { seconds: 10, ended: Promise.resolve() })).toBe(false);
});

test("a child is stopped gracefully and its lines come whole", async () => {
  const lines: string[] = [];
  const script = `process.stdout.write("one\\ntw"); setTimeout(() => console.log("o"), 50);
    process.on("SIGTERM", () => { console.log("bye"); setTimeout(() => process.exit(0), 50); }); setInterval(() => {}, 1000);`;
  const started = startChild(["-e", script], { cwd: "/", env: process.env, onLine: (line) => lines.push(line) });
  await expect.poll(() => lines).toEqual(["one", "two"]);
  await started.stop();
  expect(await started.ended).toBe(0);
  expect(lines).toEqual(["one", "two", "bye"]);
});

test("a child ends when its launcher is killed", async () => {
  const script = `import { startChild } from ${JSON.stringify(child)};
    startChild(["-e", "console.log(process.pid); setInterval(() => {}, 1000)"],
      { cwd: "/", env: process.env, onLine: (line) => console.log(line) });`;
  const launcher = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    cwd: path.dirname(child),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pid = Number(await new Promise((resolve) => launcher.stdout.once("data", resolve)));
  expect(isRunning(pid)).toBe(true);
  launcher.kill("SIGKILL");
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
});

/** A process that was not collected by its new parent keeps its number and runs no more. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/status`;
  if (fs.existsSync("/proc/self/status"))
    return fs.existsSync(status) && !/^State:\s+Z/m.test(fs.readFileSync(status, "utf8"));
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
