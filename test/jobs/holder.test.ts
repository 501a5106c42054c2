import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { holderName, isFormerSelf, thisHolder } from "#lib/jobs/holder.ts";

const folder = mkdtempSync(join(tmpdir(), "holder-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the process's name as a holder", () => {
  test("keeps its instance between starts and never its nonce", () => {
    const first = thisHolder(join(folder, "data"));
    const second = thisHolder(join(folder, "data"));
    expect(second.instance).toBe(first.instance);
    expect(second.nonce).not.toBe(first.nonce);
  });

  test("is another instance without a data directory, or where the directory cannot be used", () => {
    const file = join(folder, "a file");
    writeFileSync(file, "not a directory");
    expect(thisHolder(null).instance).not.toBe(thisHolder(null).instance);
    expect(thisHolder(file).instance).not.toBe(thisHolder(file).instance);
  });
});

describe("a lease of a former process", () => {
  const self = { instance: "i@host", pid: 40, nonce: "new" };
  const nobody = () => false;
  const everybody = () => true;

  test("is known when that process is dead", () => {
    expect(isFormerSelf(holderName({ ...self, pid: 39, nonce: "old" }), self, nobody)).toBe(true);
  });

  test("is known when its process id is ours now, as in a restarted container", () => {
    expect(isFormerSelf(holderName({ ...self, nonce: "old" }), self, everybody)).toBe(true);
  });

  test("is not taken from a process that lives, from ourselves, or from another installation", () => {
    expect(isFormerSelf(holderName({ ...self, pid: 39, nonce: "old" }), self, everybody)).toBe(false);
    expect(isFormerSelf(holderName(self), self, nobody)).toBe(false);
    expect(isFormerSelf(holderName({ instance: "other@host", pid: 39, nonce: "old" }), self, nobody)).toBe(false);
  });

  test("asks the operating system which processes live", () => {
    const own = { instance: "i@host", pid: process.pid, nonce: "me" };
    expect(isFormerSelf(holderName({ ...own, pid: process.ppid, nonce: "parent" }), own)).toBe(false);
    expect(isFormerSelf(holderName({ ...own, pid: 2 ** 22 + 1, nonce: "gone" }), own)).toBe(true);
  });
});
