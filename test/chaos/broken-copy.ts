import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Replacement } from "./variants.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const copied = ["app", "db", "lib", "test", "package.json", "tsconfig.json"];

/** A copy of the sources in which the product can be broken on purpose, and run. */
export class BrokenCopy {
  private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-teeth-"));

  constructor() {
    for (const name of copied) fs.cpSync(path.join(root, name), path.join(this.folder, name), { recursive: true });
    fs.symlinkSync(path.join(root, "node_modules"), path.join(this.folder, "node_modules"));
  }

  /** Does something while the pieces are replaced. Throws where a replacement changes nothing. */
  async broken<T>(replacements: readonly Replacement[], work: () => Promise<T>): Promise<T> {
    const places = replacements.map(({ file }) => path.join(this.folder, file));
    const sound = new Map(places.map((place) => [place, fs.readFileSync(place, "utf8")]));
    try {
      for (const replacement of replacements) this.replace(replacement);
      return await work();
    } finally {
      for (const [place, source] of sound) fs.writeFileSync(place, source);
    }
  }

  /** Runs a script of the copy in a process of its own, on a PostgreSQL server; its exit code and all that it said. */
  async run(
    script: string,
    options: readonly string[],
    server: string,
  ): Promise<{ code: number | null; said: string }> {
    const child = spawn(process.execPath, ["--import", "tsx", script, ...options], {
      cwd: this.folder,
      env: { ...process.env, TEST_DATABASE_URL: server },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, said: Buffer.concat(said).toString("utf8") };
  }

  close(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private replace({ file, search, replace }: Replacement): void {
    const place = path.join(this.folder, file);
    const before = fs.readFileSync(place, "utf8");
    const after = before.replace(search, () => replace);
    if (after === before) throw new Error(`A replacement changes nothing in ${file}`);
    fs.writeFileSync(place, after);
  }
}
