import { expect, it } from "vitest";
import { upsertAccounts } from "#lib/accounts/upsert.ts";
import { useDatabase } from "#test/support/database.ts";
import { readAll } from "./stored.ts";

const database = useDatabase();
const now = new Date("2026-11-22T12:00:00Z");
const later = new Date("2026-11-23T12:00:00Z");

const upsert = (workspaceId: number, rows: unknown[], at = now) =>
  database.inWorkspace(workspaceId, (trx) => upsertAccounts(trx, workspaceId, rows, at));
const stored = (workspaceId: number) => database.inWorkspace(workspaceId, (trx) => readAll(trx, workspaceId));
const plain = { created: 0, updated: 0, unchanged: 0, rejected: [] };

it("creates, and the same body again changes nothing", async () => {
  const workspaceId = await database.workspace();
  const rows = [
    { externalId: "a", name: "Alpha", ownerEmail: "Ann@Example.COM", attributes: { tier: "gold", note: "" } },
    { externalId: "b", name: "Beta" },
  ];
  expect(await upsert(workspaceId, rows)).toEqual({ ...plain, created: 2 });
  const first = await stored(workspaceId);
  expect(first).toEqual([
    {
      externalId: "a",
      name: "Alpha",
      owner: "ann@example.com",
      attributes: { note: "", tier: "gold" },
      updatedAt: now,
      metricName: "Alpha",
      metricOwner: "ann@example.com",
    },
    {
      externalId: "b",
      name: "Beta",
      owner: null,
      attributes: {},
      updatedAt: now,
      metricName: "Beta",
      metricOwner: null,
    },
  ]);
  expect(await upsert(workspaceId, rows, later)).toEqual({ ...plain, unchanged: 2 });
  expect(await stored(workspaceId)).toEqual(first);
});

it("changes what is given, keeps what is absent, merges attributes by key, and null takes the owner away", async () => {
  const workspaceId = await database.workspace();
  await upsert(workspaceId, [
    { externalId: "a", name: "Alpha", ownerEmail: "ann@example.com", attributes: { tier: "gold", region: "eu" } },
    { externalId: "b", name: "Beta", ownerEmail: "ann@example.com" },
    { externalId: "c", name: "Gamma" },
  ]);
  const answer = await upsert(
    workspaceId,
    [
      { externalId: "a", name: "Alpha", attributes: { tier: "silver" } },
      { externalId: "b", name: "Beta & Sons", ownerEmail: null },
      { externalId: "c", name: "Gamma", attributes: {} },
      { externalId: "d", name: "Delta" },
    ],
    later,
  );
  expect(answer).toEqual({ ...plain, created: 1, updated: 2, unchanged: 1 });
  expect(
    (await stored(workspaceId)).map(({ externalId, name, owner, attributes, metricName, updatedAt }) => [
      externalId,
      name,
      owner,
      attributes,
      metricName,
      updatedAt,
    ]),
  ).toEqual([
    ["a", "Alpha", "ann@example.com", { region: "eu", tier: "silver" }, "Alpha", later],
    ["b", "Beta & Sons", null, {}, "Beta & Sons", later],
    ["c", "Gamma", null, {}, "Gamma", now],
    ["d", "Delta", null, {}, "Delta", later],
  ]);
});

it("names may hold any text, and need not be unique", async () => {
  const workspaceId = await database.workspace();
  const names = [
    "🚀 Räksmörgås 👩‍👩‍👧‍👦",
    "<script>alert(1)</script>",
    "שלום עולם",
    "=1+1",
    'O\'Brien \\ "Q" {x,y}',
    "tab\tand\nline",
    " ",
    "same",
    "same",
  ];
  const rows = names.map((name, index) => ({ externalId: `id ${index} ${name}`, name }));
  expect(await upsert(workspaceId, rows)).toEqual({ ...plain, created: names.length });
  expect(new Set((await stored(workspaceId)).map((account) => `${account.externalId}|${account.name}`))).toEqual(
    new Set(rows.map((row) => `${row.externalId}|${row.name}`)),
  );
  expect(await upsert(workspaceId, rows)).toEqual({ ...plain, unchanged: names.length });
});

const wrong: [title: string, row: unknown, message: RegExp, externalId?: string | null][] = [
  ["no object", 7, /must be an object, not the number 7/, null],
  ["no external id", { name: "x" }, /^externalId is missing/, null],
  ["an empty external id", { externalId: "", name: "x" }, /^externalId is empty/, ""],
  ["a blank external id", { externalId: " \t", name: "x" }, /^externalId is blank/, " \t"],
  ["a number as external id", { externalId: 12, name: "x" }, /^externalId must be text, not the number 12/, null],
  ["no name", { externalId: "x" }, /^name is missing/],
  ["an empty name", { externalId: "x", name: "" }, /^name is empty/],
  ["a NUL in the name", { externalId: "x", name: "a\0b" }, /^name contains a NUL/],
  ["a NUL in the external id", { externalId: "x\0", name: "a" }, /^externalId contains a NUL/, "x\0"],
  ["half a character in the name", { externalId: "x", name: "\ud83d" }, /^name contains half a character/],
  ["a name beyond what can be sorted", { externalId: "x", name: "é".repeat(1251) }, /^name is longer than 2,500 bytes/],
  [
    "an owner that is no e-mail",
    { externalId: "x", name: "n", ownerEmail: "nobody" },
    /^ownerEmail must be an e-mail address, and "nobody" is none/,
  ],
  ["an empty owner", { externalId: "x", name: "n", ownerEmail: "" }, /^ownerEmail must be an e-mail/],
  ["an owner with a NUL", { externalId: "x", name: "n", ownerEmail: "a\0@b.c" }, /^ownerEmail must be an e-mail/],
  [
    "an owner that is a number",
    { externalId: "x", name: "n", ownerEmail: 5 },
    /^ownerEmail must be an e-mail address or null/,
  ],
  [
    "a number as attribute",
    { externalId: "x", name: "n", attributes: { seats: 5 } },
    /^attributes\.seats must be text, not the number 5/,
  ],
  [
    "a boolean as attribute",
    { externalId: "x", name: "n", attributes: { vip: true } },
    /^attributes\.vip must be text, not the boolean true/,
  ],
  [
    "null as attribute",
    { externalId: "x", name: "n", attributes: { vip: null } },
    /^attributes\.vip must be text, not null/,
  ],
  [
    "an object as attribute",
    { externalId: "x", name: "n", attributes: { o: {} } },
    /^attributes\.o must be text, not an object/,
  ],
  [
    "a list of attributes",
    { externalId: "x", name: "n", attributes: [] },
    /^attributes must be an object of text values, not a list/,
  ],
  ["a NUL in an attribute", { externalId: "x", name: "n", attributes: { k: "\0" } }, /^attributes\.k contains a NUL/],
  [
    "a NUL in an attribute's key",
    { externalId: "x", name: "n", attributes: { "k\0": "v" } },
    /^An attribute name contains a NUL/,
  ],
  ["an attribute without a key", { externalId: "x", name: "n", attributes: { "": "v" } }, /^An attribute has no name/],
];

it.each(wrong)("refuses a row with %s, and takes the one beside it", async (_, row, message, externalId = "x") => {
  const workspaceId = await database.workspace();
  const answer = await upsert(workspaceId, [row, { externalId: "good", name: "Good" }]);
  expect(answer).toEqual({
    ...plain,
    created: 1,
    rejected: [{ index: 0, externalId, message: expect.stringMatching(message) }],
  });
  expect((await stored(workspaceId)).map((account) => account.externalId)).toEqual(["good"]);
});

it("refuses later rows with the same external id, naming the first that went in", async () => {
  const workspaceId = await database.workspace();
  const answer = await upsert(workspaceId, [
    { externalId: "a", name: 1 },
    { externalId: "a", name: "first" },
    { externalId: "A", name: "another" },
    { externalId: "a", name: "second" },
  ]);
  expect(answer).toEqual({
    ...plain,
    created: 2,
    rejected: [
      { index: 0, externalId: "a", message: expect.stringContaining("must be text") },
      { index: 3, externalId: "a", message: expect.stringContaining("index 1") },
    ],
  });
});

it("takes keys that JavaScript reserves", async () => {
  const workspaceId = await database.workspace();
  const row = JSON.parse(
    '{"externalId":"__proto__","name":"constructor","attributes":{"__proto__":"p","toString":"t"}}',
  );
  expect(await upsert(workspaceId, [row])).toEqual({ ...plain, created: 1 });
  expect(await upsert(workspaceId, [row])).toEqual({ ...plain, unchanged: 1 });
});

it("takes 5,000 rows with attributes in one call", async () => {
  const workspaceId = await database.workspace();
  const rows = Array.from({ length: 5000 }, (_, n) => ({
    externalId: `id-${n}`,
    name: `Account ${n}`,
    ownerEmail: `csm${n % 7}@example.com`,
    attributes: { a: `${n}`, b: "x", c: "" },
  }));
  expect(await upsert(workspaceId, rows)).toEqual({ ...plain, created: 5000 });
  const changed = rows.map((row, n) => (n % 2 ? row : { ...row, attributes: { ...row.attributes, b: "y" } }));
  expect(await upsert(workspaceId, changed)).toEqual({ ...plain, updated: 2500, unchanged: 2500 });
});

it("a workspace's external ids are its own", async () => {
  const [one, two] = [await database.workspace(), await database.workspace()];
  await upsert(one, [{ externalId: "a", name: "One" }]);
  expect(await upsert(two, [{ externalId: "a", name: "Two" }])).toEqual({ ...plain, created: 1 });
  expect((await stored(one)).map((account) => account.name)).toEqual(["One"]);
});

it("two calls at once with the same new accounts make each once", async () => {
  const workspaceId = await database.workspace();
  const rows = Array.from({ length: 200 }, (_, n) => ({ externalId: `${n}`, name: `n${n}` }));
  const answers = await Promise.all([upsert(workspaceId, rows), upsert(workspaceId, [...rows].reverse())]);
  expect(answers.map((answer) => answer.created).sort((a, b) => a - b)).toEqual([0, 200]);
  expect(await stored(workspaceId)).toHaveLength(200);
});
