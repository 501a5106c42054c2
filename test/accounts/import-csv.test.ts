import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { removeLeftUploads } from "#lib/accounts/csv-file.ts";
import { importAccounts } from "#lib/accounts/import-csv.ts";
import { AppError } from "#lib/errors.ts";
import { csvLines } from "#lib/reports/csv.ts";
import { useDatabase } from "#test/support/database.ts";
import { readAll } from "./stored.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");

function streamOf(...chunks: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const queue = chunks.map((chunk) => (typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk));
  return new ReadableStream({
    pull(controller) {
      const next = queue.shift();
      if (next) controller.enqueue(next);
      else controller.close();
    },
  });
}
const load = (workspaceId: number, ...chunks: (string | Uint8Array)[]) =>
  importAccounts(database.db, workspaceId, streamOf(...chunks), now);
const stored = async (workspaceId: number) =>
  (await database.inWorkspace(workspaceId, (trx) => readAll(trx, workspaceId))).map(
    ({ externalId, name, owner, attributes }) => ({ externalId, name, owner, attributes }),
  );
const plain = { created: 0, updated: 0, unchanged: 0, rejected: [] };

it("reads quotes, commas, line breaks and empty cells; other columns become attributes", async () => {
  const workspaceId = await database.workspace();
  const text =
    'external_id,name,owner_email,tier,Note\r\n1,"Smith, ""Q"" & Co",Ann@Example.com,gold,"two\nlines"\r\n\r\n2,Beta,,,\r\n';
  expect(await load(workspaceId, text)).toEqual({ ...plain, created: 2 });
  expect(await stored(workspaceId)).toEqual([
    {
      externalId: "1",
      name: 'Smith, "Q" & Co',
      owner: "ann@example.com",
      attributes: { tier: "gold", Note: "two\nlines" },
    },
    { externalId: "2", name: "Beta", owner: null, attributes: { tier: "", Note: "" } },
  ]);
  expect(await load(workspaceId, text)).toEqual({ ...plain, unchanged: 2 });
});

it("takes a byte order mark, any case and order of its own columns, and characters cut between two chunks", async () => {
  const workspaceId = await database.workspace();
  const bytes = new TextEncoder().encode("\ufeffName,External_ID\nRäksmörgås 🚀,1\n");
  expect(await load(workspaceId, ...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual({ ...plain, created: 1 });
  expect(await stored(workspaceId)).toEqual([{ externalId: "1", name: "Räksmörgås 🚀", owner: null, attributes: {} }]);
});

it("leaves owners alone where the column is absent, and clears them where the cell is empty", async () => {
  const workspaceId = await database.workspace();
  await load(workspaceId, "external_id,name,owner_email\n1,A,ann@example.com\n");
  expect(await load(workspaceId, "external_id,name\n1,A\n")).toEqual({ ...plain, unchanged: 1 });
  expect(await load(workspaceId, "external_id,name,owner_email\n1,A,\n")).toEqual({ ...plain, updated: 1 });
  expect((await stored(workspaceId))[0]?.owner).toBeNull();
});

it("refuses single rows by their line, and takes the rest", async () => {
  const workspaceId = await database.workspace();
  const text = [
    "external_id,name,owner_email,seats",
    'a,"Alpha',
    'Ltd",,1',
    "b,Beta,,2,surplus",
    "",
    "c,Gamma,nobody,3",
    ",Delta,,4",
    "a,Again,,5",
    "lonely",
    "e,,,6",
    "f,nul\0,,7",
    "g,Good,,8",
  ].join("\n");
  const answer = await load(workspaceId, text);
  expect(answer).toEqual({
    ...plain,
    created: 2,
    rejected: [
      { index: 1, line: 4, externalId: "b", message: "The row has 5 columns, the header has 4." },
      { index: 2, line: 6, externalId: "c", message: 'owner_email must be an e-mail address, and "nobody" is none.' },
      { index: 3, line: 7, externalId: "", message: "external_id is empty." },
      {
        index: 4,
        line: 8,
        externalId: "a",
        message: "The same external id stands at line 2 already; one row of each is taken.",
      },
      { index: 5, line: 9, externalId: "lonely", message: "The row has 1 column, the header has 4." },
      { index: 6, line: 10, externalId: "e", message: "name is empty." },
      { index: 7, line: 11, externalId: "f", message: "name contains a NUL character, which no text here can hold." },
    ],
  });
  expect((await stored(workspaceId)).map((account) => account.name)).toEqual(["Alpha\nLtd", "Good"]);
});

it("undoes the formula guard of our own exports", async () => {
  const workspaceId = await database.workspace();
  const names = ["=1+1", "+49 30 1", "-5", "@home", "'quoted", "'=kept", " =blank first", "|pipe", "plain"];
  const rows = names.map((name, n) => [`-${n}`, name, null, name] as const);
  await load(workspaceId, csvLines([["external_id", "name", "owner_email", "=odd"], ...rows]));
  expect((await stored(workspaceId)).map(({ name, attributes }) => [name, attributes["=odd"]])).toEqual(
    names.map((name) => [name, name]),
  );
});

const utf16 = (text: string) => Uint8Array.from([0xff, 0xfe, ...Buffer.from(text, "utf16le")]);
const good = "external_id,name\n1,A\n";
const unreadable: [title: string, chunks: (string | Uint8Array)[], message: RegExp][] = [
  ["nothing in it", [], /file is empty/],
  [
    "a header without its columns",
    ["id,title,owner\n1,2,3\n"],
    /lacks external_id and name\. Found: id, title, owner\./,
  ],
  ["semicolons", ["external_id;name;owner_email\n1;2;3\n"], /lacks external_id and name.*separated by “;”/],
  ["a column twice", ["external_id,name,tier,tier\n1,2,3,4\n"], /names "tier" twice/],
  ["a column without a name", ["external_id,name,\n1,2,3\n"], /Column 3 of the header has no name/],
  [
    "201 columns",
    [`external_id,name,${Array.from({ length: 199 }, (_, n) => `c${n}`).join(",")}\n`],
    /has 201 columns; at most 200/,
  ],
  ["a million columns", [`external_id,name${",c".repeat(1_000_000)}\n`], /has 1,000,002 columns/],
  ["an unclosed quote", [`${good}2,"B\n3,C\n4,D\n`], /opens in the row of line 3 is never closed/],
  ["a quote inside a cell", [`${good}2,B "Q" C\n`], /Line 3 has a quotation mark inside a cell/],
  ["UTF-16 with its mark", [utf16("external_id,name\n1,A\n")], /not UTF-8: it looks like UTF-16/],
  ["UTF-16 without a mark", [utf16("external_id,name\n1,A\n").subarray(2)], /not UTF-8: it looks like UTF-16/],
  [
    "Latin-1 text",
    [good, "2,B\n3,", Uint8Array.from([0xe9, 0x74, 0xe9]), "\n"],
    /not UTF-8: see line 4\. It looks like Windows-1252/,
  ],
  ["a character cut off at its end", [good, "2,", Uint8Array.from([0xf0, 0x9f])], /not UTF-8: see line 3/],
  ["a workbook", [Uint8Array.from([0x50, 0x4b, 0x03, 0x04, 0, 0])], /spreadsheet or a ZIP archive/],
  ["compression", [Uint8Array.from([0x1f, 0x8b, 8, 0])], /compressed/],
];

it.each(unreadable)("refuses a file with %s, and changes nothing", async (_, chunks, message) => {
  const workspaceId = await database.workspace();
  const error = await load(workspaceId, ...chunks).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code: "invalid", message: expect.stringMatching(message) });
  expect(await stored(workspaceId)).toEqual([]);
});

it("a file that breaks off in a later batch leaves nothing of the earlier ones", async () => {
  const workspaceId = await database.workspace();
  const rows = Array.from({ length: 12_000 }, (_, n) => `${n},Name ${n}\n`).join("");
  await expect(load(workspaceId, `external_id,name\n${rows}x,"open`)).rejects.toMatchObject({ code: "invalid" });
  expect(await stored(workspaceId)).toEqual([]);
  expect(await load(workspaceId, `external_id,name\n${rows}`)).toEqual({ ...plain, created: 12_000 });
});

it("a line of 500 MiB never comes into memory as a whole", async () => {
  const workspaceId = await database.workspace();
  const megabyte = new Uint8Array(1024 * 1024).fill(120);
  let left = 500;
  const line = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(megabyte);
      else controller.close();
    },
  });
  const before = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss - before);
  }, 20);
  await expect(importAccounts(database.db, workspaceId, line, now)).rejects.toMatchObject({
    message: expect.stringMatching(/line 1 is longer than 16 MiB/),
  });
  clearInterval(watch);
  expect(peak).toBeLessThan(250 * 1024 * 1024);
});

it("passes on the reason of a body that was cut off, and leaves no file behind", async () => {
  const workspaceId = await database.workspace();
  const uploads = async () => (await readdir(os.tmpdir())).filter((name) => name.startsWith("bellwether-upload-"));
  const before = await uploads();
  const tooLarge = new AppError("too_large", "The body is larger than 100 MiB.");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(good));
    },
    pull(controller) {
      controller.error(tooLarge);
    },
  });
  await expect(importAccounts(database.db, workspaceId, body, now)).rejects.toBe(tooLarge);
  expect(await stored(workspaceId)).toEqual([]);
  expect(await uploads()).toEqual(before);
});

it("an upload that a killed process left is removed after an hour, one under way and other people's files are not", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "uploads-of-a-test-"));
  const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
  async function upload(name: string, begun: Date, written: Date) {
    await mkdir(path.join(folder, name));
    await writeFile(path.join(folder, name, "accounts.csv"), good);
    await utimes(path.join(folder, name, "accounts.csv"), written, written);
    await utimes(path.join(folder, name), begun, begun);
  }
  try {
    await upload("bellwether-upload-left", hoursAgo(3), hoursAgo(2));
    await upload("bellwether-upload-slow", hoursAgo(3), hoursAgo(0.1));
    await upload("somebody-elses", hoursAgo(30), hoursAgo(30));
    await removeLeftUploads(now, folder);
    expect((await readdir(folder)).toSorted()).toEqual(["bellwether-upload-slow", "somebody-elses"]);
    await removeLeftUploads(now, path.join(folder, "not-there"));
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("a sender who is slow keeps nobody else's file waiting", async () => {
  const workspaceId = await database.workspace();
  let finish = () => {};
  const slow = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("external_id,name\nslow,Slow\n"));
      finish = () => controller.close();
    },
  });
  const waiting = importAccounts(database.db, workspaceId, slow, now);
  for (let n = 0; n < 20; n++) {
    expect(await load(workspaceId, `external_id,name\nquick-${n},Quick\n`)).toEqual({ ...plain, created: 1 });
  }
  finish();
  expect(await waiting).toEqual({ ...plain, created: 1 });
  expect(await stored(workspaceId)).toHaveLength(21);
});
