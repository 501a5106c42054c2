import { describe, expect, test } from "vitest";
import { type Import, readSourceFiles, type SourceFile, sourceFile } from "#test/support/source-files.ts";

/*
 * Who may import whom, where SQL, the environment and the clock may stand. A failing line names the file and what to do.
 */

const files = readSourceFiles();
const byName = new Map(files.map((source) => [source.file, source]));
const under = (folder: string) => files.filter(({ file }) => file.startsWith(`${folder}/`));
/** Screens, routes and what the framework loads from the root. */
const appFiles = [...under("app"), ...files.filter(({ file }) => /^(proxy|instrumentation[\w-]*)\.ts$/.test(file))];

/** No db, fetch, next or clock: the same answer for the same arguments, in the browser too. */
const pureFiles = [
  "lib/auth/roles.ts",
  "lib/destinations/actions.ts",
  "lib/destinations/commands.ts",
  "lib/destinations/create-on-approve.ts",
  "lib/destinations/mapping.ts",
  "lib/destinations/profiles.ts",
  "lib/destinations/triggers.ts",
  "lib/destinations/procedures/domain-names.ts",
  "lib/destinations/procedures/field-values.ts",
  "lib/destinations/procedures/time-zones.ts",
  "lib/matching/free-mail.ts",
  "lib/matching/rules.ts",
  "lib/metrics/definitions.ts",
  "lib/metrics/score.ts",
  "lib/metrics/windows.ts",
  "lib/notifications/writing.ts",
  "lib/sources/json-place.ts",
  "lib/sources/judge.ts",
  "lib/timeline/build.ts",
  "lib/timeline/kinds.ts",
  "lib/zendesk/rows.ts",
];
const isShape = (file: string) => /^lib\/\w+\/shapes\.ts$/.test(file);
const isPure = (file: string) => pureFiles.includes(file) || isShape(file);

/** SQL has a few homes: stores, reports, and the two set-based heavies beside their stores. */
const sqlHomes = /^lib\/(\w+\/store(\.ts|\/.+\.ts)|reports\/.+\.ts|matching\/run\.ts|metrics\/(counts|rebuild)\.ts)$/;

/** Domain → store of another domain, each with its reason. */
const storeExceptions: { from: RegExp; to: RegExp; because: string }[] = [
  {
    from: /^lib\/(accounts|matching|workspace|zendesk\/store)\//,
    to: /^lib\/metrics\/store\.ts$/,
    because: "who changes what is counted takes the metrics' lock and sums again in the same transaction",
  },
  {
    from: /^lib\/connections\//,
    to: /^lib\/matching\/store\.ts$/,
    because: "a new connection gets its match keys in its own transaction",
  },
  { from: /^lib\/(jobs|reports)\//, to: /./, because: "jobs and reports compose domains" },
];

const isDatabase = ({ target }: Import) => target.startsWith("db/") || /^(kysely|pg)(\/|$)/.test(target);
const isOurs = ({ target }: Import) => /^(app|lib|db|test)\//.test(target);
const isNext = ({ target }: Import) => /^next(\/|$)/.test(target);

function importsThat(sources: SourceFile[], breaks: (imported: Import, source: SourceFile) => boolean, advice: string) {
  return sources.flatMap((source) =>
    source.imports
      .filter((imported) => breaks(imported, source))
      .map(({ target }) => `${source.file} imports ${target}: ${advice}`),
  );
}

function textsThat(sources: SourceFile[], pattern: RegExp, advice: string) {
  return sources.flatMap(({ file, text }) => {
    const found = text.match(pattern)?.[0];
    return found ? [`${file} says ${found.trim()}: ${advice}`] : [];
  });
}

/** The file and every file of ours that its values come from. */
function closure(source: SourceFile, reached = new Set<SourceFile>()): Set<SourceFile> {
  if (reached.has(source)) return reached;
  reached.add(source);
  for (const { target, typeOnly } of source.imports) {
    const next = byName.get(target) ?? byName.get(target.replace(/\.ts$/, ".tsx"));
    if (next && !typeOnly) closure(next, reached);
  }
  return reached;
}

test("a command is a write of its own: no bulk job has results to be told apart (row 99)", () => {
  const advice = "write one row at a time: each command has its own state";
  expect(textsThat(under("lib"), /(create|update|destroy|create_or_update)_many/, advice)).toEqual([]);
});

describe("who imports whom", () => {
  test("app asks lib; it never touches the database", () => {
    const advice = "call a function of lib and take its types from there";
    expect(importsThat(appFiles, isDatabase, advice)).toEqual([]);
  });

  test("lib knows no screen and no route", () => {
    const advice = "move what both need into lib";
    expect(importsThat(under("lib"), ({ target }) => target.startsWith("app/"), advice)).toEqual([]);
  });

  test("db imports nothing of ours", () => {
    const foreign = (imported: Import) => isOurs(imported) && !imported.target.startsWith("db/");
    expect(importsThat(under("db"), foreign, "db stands below everything: pass it in as an argument")).toEqual([]);
  });

  test("migrations import kysely only: they are frozen in time", () => {
    const foreign = ({ target }: Import) => target !== "kysely";
    expect(importsThat(under("db/migrations"), foreign, "copy what the migration needs into it")).toEqual([]);
  });

  test("what is served never imports from test", () => {
    const shipped = files.filter(({ file }) => !file.startsWith("test/") && !file.includes(".config."));
    expect(importsThat(shipped, ({ target }) => target.startsWith("test/"), "move it into lib")).toEqual([]);
  });

  test("a domain of lib does not import another domain's store", () => {
    const domainOf = (file: string) => /^lib\/(\w+)\//.exec(file)?.[1];
    const foreignStore = ({ target }: Import, { file }: SourceFile) =>
      /^lib\/\w+\/store(\.ts$|\/)/.test(target) &&
      domainOf(target) !== domainOf(file) &&
      !storeExceptions.some(({ from, to }) => from.test(file) && to.test(target));
    const advice = "call a function that the other domain exports outside its store, or compose in jobs or reports";
    expect(importsThat(under("lib"), foreignStore, advice)).toEqual([]);
  });

  test("what runs in the browser takes values from lib's pure files only", () => {
    const inBrowser = new Set(files.filter(({ isClient }) => isClient).flatMap((source) => [...closure(source)]));
    const ofApp = [...inBrowser].filter(({ file }) => file.startsWith("app/"));
    const impure = ({ target, typeOnly }: Import) => !typeOnly && target.startsWith("lib/") && !isPure(target);
    expect(importsThat(ofApp, impure, "import its types only, or ask the API")).toEqual([]);
    const server = ({ target, typeOnly }: Import) => !typeOnly && /^(node:|next\/(headers|server)$)/.test(target);
    expect(importsThat([...inBrowser], server, "that exists on the server only")).toEqual([]);
  });

  test("only lib/auth/session knows next-auth", () => {
    const foreign = ({ target }: Import, { file }: SourceFile) =>
      /^next-auth(\/|$)/.test(target) && file !== "lib/auth/session.ts" && !file.startsWith("test/");
    expect(importsThat(files, foreign, "ask lib/auth, so that another way of signing in is one file")).toEqual([]);
  });
});

describe("who is let in", () => {
  const says = (pattern: RegExp) => (source: SourceFile) => pattern.test(source.text);

  test("every page behind sign-in asks for the session by itself", () => {
    // The layout's question is not asked again when the browser fetches a page alone (row 110).
    const pages = under("app/(dashboard)").filter(({ file }) => file.endsWith("/page.tsx"));
    expect(pages.length).toBeGreaterThan(0);
    const open = pages.filter((page) => !says(/await requirePageSession\(\)/)(page));
    expect(open.map(({ file }) => `${file}: add \`await requirePageSession();\` (lib/auth/page-session)`)).toEqual([]);
  });

  test("every route is made by route() or plainRoute(), which answer errors alike", () => {
    const routes = under("app").filter(({ file }) => file.endsWith("/route.ts"));
    const reached = (source: SourceFile) => [...closure(source)].some(({ file }) => file === "app/api/handler.ts");
    expect(routes.filter((source) => !reached(source)).map(({ file }) => file)).toEqual([]);
  });
});

describe("pure files", () => {
  test("all of them are there", () => {
    expect(pureFiles.filter((file) => !byName.has(file))).toEqual([]);
  });

  test("they reach no database, network, framework or file", () => {
    const pure = files.filter(({ file }) => isPure(file));
    const reached = new Set(pure.flatMap((source) => [...closure(source)]));
    const impure = (imported: Import) =>
      !imported.typeOnly &&
      (isDatabase(imported) || isNext(imported) || /^(node:(?!crypto$|buffer$)|undici|react)/.test(imported.target));
    expect(importsThat([...reached], impure, "a pure file works on its arguments alone")).toEqual([]);
  });

  test("they neither fetch nor read a clock", () => {
    const pure = files.filter(({ file }) => isPure(file));
    const advice = "take the time, or what was fetched, as an argument";
    expect(textsThat(pure, /\bfetch\(|\bDate\.now\b|\bnew Date\(\)|\bprocess\.|\bMath\.random\b/, advice)).toEqual([]);
  });
});

describe("one place for each thing", () => {
  test("SQL stands in stores, reports and their two neighbours", () => {
    const outside = under("lib").filter(({ file }) => !sqlHomes.test(file));
    const query =
      /\.(selectFrom|insertInto|updateTable|deleteFrom|mergeInto)\(|\bsql(<[^`]*>)?`|\bsql\.raw\(|\.query\(/;
    expect(textsThat(outside, query, "put the query into the domain's store.ts")).toEqual([]);
  });

  test("the environment is read in lib/config and by the launcher", () => {
    const readers = /^(lib\/config\.ts|lib\/context\.ts|lib\/launch\/|db\/embedded[\w-]*\.ts|test\/|[\w.-]+\.config\.)/;
    const others = files.filter(({ file }) => !readers.test(file));
    // NODE_ENV and NEXT_RUNTIME are constants that the build puts in.
    const read = /process\.env(?!\.(NODE_ENV|NEXT_RUNTIME)\b)[\w.[\]"']*/;
    expect(textsThat(others, read, "add it to lib/config.ts and pass it on")).toEqual([]);
  });

  test("no module of the server remembers anything between requests, but for those named here", () => {
    const served = files.filter(({ file }) => /^(app|lib|db)\//.test(file) && !file.startsWith("lib/launch/"));
    const keepers: { file: string; because: string }[] = [
      { file: "app/v1/held-bytes.ts", because: "how many bytes of bodies are held, of all callers together" },
      { file: "lib/context.ts", because: "configuration, database and log, the same for every account" },
      { file: "lib/destinations/deliverer.ts", because: "what is worked on, by workspace, connection and account" },
      { file: "lib/destinations/paths.ts", because: "paths as they were read, by their text" },
      { file: "lib/destinations/templates.ts", because: "templates as they were parsed, by their text" },
      {
        file: "lib/destinations/procedures/field-definitions.ts",
        because: "definitions of fields for a minute, by workspace and connection",
      },
      { file: "lib/destinations/procedures/time-zones.ts", because: "zones and their clocks, by their names" },
      { file: "lib/jobs/cron.ts", because: "looks for what is due that are under way, the same for every account" },
      { file: "lib/jobs/process.ts", because: "the worker, which knows runs by workspace and connection" },
      { file: "lib/jobs/signals.ts", because: "whether the process is stopping" },
      { file: "lib/log.ts", because: "secrets that no line may hold" },
      { file: "lib/monitoring/registry.ts", because: "counters without any name of an account" },
      {
        file: "lib/monitoring/standing.ts",
        because: "which polled operations fail, and why, the same for every account",
      },
      { file: "lib/metrics/windows.ts", because: "formats of time zones" },
      { file: "lib/sources/intake.ts", because: "events that wait to be stored, by workspace" },
      {
        file: "lib/sources/write-keys.ts",
        because: "whose events a write key lets in, by its digest, for two seconds",
      },
      { file: "lib/webhooks/intake.ts", because: "a secret of nobody's, for deliveries to nobody" },
      { file: "lib/webhooks/drainer.ts", because: "which deliveries wait, by workspace and connection" },
      { file: "app/_ui/clock.ts", because: "runs in the browser" },
      { file: "app/_ui/stored-choice.ts", because: "runs in the browser" },
    ];
    const remembers =
      /^(export )?(let|var) |^(export )?const \w+(: [^=\n]+)? = (new (Map|WeakMap|Set)(<[^\n]*>)?\(\)|\[\]|globalThis\b|onePerContext\()/m;
    const found = served.filter(({ text }) => remembers.test(text)).map(({ file }) => file);
    expect(found.toSorted()).toEqual(keepers.map(({ file }) => file).toSorted());
  });

  test("instants are stored with their zone, values as text, and nothing as json", () => {
    const migrations = under("db/migrations").map(({ text }) => text);
    expect(migrations.length).toBeGreaterThan(0);
    const barred = /\bjsonb?\b|\btimestamp\b(?! with time zone)|create type|\bas enum\b|\bvarchar\b|\bchar\(/i;
    expect(textsThat(under("db/migrations"), barred, "use timestamptz, text and columns")).toEqual([]);
  });

  test("no screen makes markup or code out of text", () => {
    const makes =
      /dangerouslySetInnerHTML(?!=\{\{ __html: themeScript \}\})|\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|new Function\b|\beval\(|srcDoc/;
    expect(textsThat(appFiles, makes, "render the text as text")).toEqual([]);
  });

  test("no file or folder has a name that says nothing", () => {
    const empty =
      /(^|[/-])(utils?|helpers?|common|managers?|misc|stuff)([/.-]|$)|(^|\/)(data|info|handle-[\w-]+)(\.|\/)/;
    expect(files.map(({ file }) => file).filter((file) => empty.test(file))).toEqual([]);
  });
});

describe("the reader of imports", () => {
  test("sees every form of import, resolves it, and tells types from values", () => {
    const text = `
      "use client";
      import type { A } from "#lib/auth/shapes.ts";
      import { type B, type C } from "../api/shapes.ts";
      import { type D, e } from "./e.ts";
      import f, { g } from "kysely"; import "next/headers";
      export { h } from "#db/client.ts";
      // import { i } from "pg";
      const j = await import("next-auth");
      import {
        k,
        type L,
      } from "@scope/package/deep";
      const text = "import x from 'y'";
    `;
    const source = sourceFile("lib/auth/example.ts", text);
    expect(source.isClient).toBe(true);
    expect(source.imports).toEqual([
      { target: "lib/auth/shapes.ts", typeOnly: true },
      { target: "lib/api/shapes.ts", typeOnly: true },
      { target: "lib/auth/e.ts", typeOnly: false },
      { target: "kysely", typeOnly: false },
      { target: "next/headers", typeOnly: false },
      { target: "db/client.ts", typeOnly: false },
      { target: "@scope/package/deep", typeOnly: false },
      { target: "next-auth", typeOnly: false },
    ]);
  });

  test("finds the files that the rules are about", () => {
    for (const file of [
      "proxy.ts",
      "lib/config.ts",
      "db/client.ts",
      "app/api/handler.ts",
      "lib/auth/store/people.ts",
    ]) {
      expect(byName.get(file)?.imports.length, file).toBeDefined();
    }
    expect(byName.get("app/api/handler.ts")?.imports.map(({ target }) => target)).toContain("lib/context.ts");
  });
});
