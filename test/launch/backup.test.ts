import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { inWorkspace, openDatabase } from "#db/client.ts";
import { type Load, Target } from "#db/load.ts";
import { migrateToLatest, migrateWithin, migrationNames } from "#db/migrate.ts";
import type { Database } from "#db/schema.ts";
import { readTables } from "#db/tables.ts";
import { readArchive } from "#lib/launch/archive.ts";
import { backup, backupName } from "#lib/launch/backup.ts";
import { restore } from "#lib/launch/restore.ts";
import type { Storage } from "#lib/launch/storage.ts";
import { bareConnection } from "#test/jobs/ground.ts";
import { type TestDatabase, useDatabase } from "#test/support/database.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { HOUR } from "#test/support/zendesk/world/clock.ts";
import { connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();
const server = process.env.TEST_DATABASE_URL ?? "";
const now = new Date("2026-11-22T10:15:00Z");
const toReplace = { replace: true, now };
const intoEmpty = { replace: false, now };
let folder: string;
let file: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-backup-"));
  file = path.join(folder, "saved.tar.gz");
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const made: string[] = [];
afterAll(async () => {
  for (const name of made) await statement(server, `drop database if exists ${name} with (force)`);
});

/** A new, empty database on the test server. */
async function emptyDatabase(owner?: { name: string; password: string }): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await statement(server, `create database ${name}${owner ? ` owner ${owner.name}` : ""}`);
  made.push(name);
  const url = new URL(server);
  if (owner) Object.assign(url, { username: owner.name, password: owner.password });
  url.pathname = `/${name}`;
  return url.href;
}

async function statement(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return client.query(text).then(
    ({ rows }) => client.end().then(() => rows),
    (error) => client.end().then(() => Promise.reject(error)),
  );
}

/** An installation on a database of the user's own, with files of its own. */
function installation(databaseUrl: string): Storage {
  return { databaseUrl, dataDir: fs.mkdtempSync(path.join(folder, "data-")) };
}

/** Every row of every table as text, in one order. */
async function contentOf(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const content: Record<string, string[]> = {};
  for (const { name } of await readTables(client)) {
    const { rows } = await client.query<{ row: string }>(`select t::text as row from "${name}" t order by 1`);
    content[name] = rows.map(({ row }) => row);
  }
  await client.end();
  return content;
}

let small: Buffer | null = null;

/** In `file`, a backup of a database with one workspace and nothing else. Made once. */
async function smallBackup(): Promise<void> {
  if (small === null) {
    const url = await emptyDatabase();
    await migrateToLatest(url);
    await statement(url, "insert into workspace (name, created_at) values ('Small', now())");
    await backup(installation(url), file, now);
    small = fs.readFileSync(file);
  }
  fs.writeFileSync(file, small);
}

describe("a backup", () => {
  test("taken while somebody writes is one instant, and brings back every row of every table", async () => {
    const account = await connect(database, randomWorld(51, { tickets: 60, days: 20 }));
    await account.sync();
    const before = await contentOf(database.url);
    const rival = new pg.Client({ connectionString: database.url });
    await rival.connect();
    await rival.query("begin; update ticket set subject = 'not committed'");
    const manifest = await backup(installation(database.url), file, now);
    await rival.query("rollback");
    await rival.end();
    expect(fs.statSync(file).mode & 0o077).toBe(0);
    expect(fs.readdirSync(folder).filter((name) => name.startsWith("saved"))).toEqual(["saved.tar.gz"]);
    expect(manifest.tables.find(({ name }) => name === "ticket")?.rows).toBe(before.ticket?.length);

    const url = await emptyDatabase();
    await restore(installation(url), file, intoEmpty);
    const after = await contentOf(url);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(before.ticket?.length).toBeGreaterThan(30);
    expect(after).toEqual(before);
  });

  test("that is restored after more has happened goes on by itself from its older cursors to the whole truth", async () => {
    const world = randomWorld(52, { tickets: 30, days: 10 });
    let current: Pick<TestDatabase, "db"> = database;
    const moving: TestDatabase = {
      ...database,
      get db() {
        return current.db;
      },
    };
    const known = world.tickets.create({ subject: "Known before" });
    world.advance(HOUR);
    const account = await connect(moving, world);
    await account.sync();
    await backup(installation(database.url), file, now);
    for (let day = 0; day < 2; day++) {
      world.advance(24 * HOUR);
      world.tickets.create({ subject: `After the backup ${day}` });
      world.tickets.update(known.id, { subject: `Changed after the backup ${day}` });
      world.advance(HOUR);
      await account.sync();
    }
    const url = await emptyDatabase();
    await restore(installation(url), file, intoEmpty);
    const restored = openDatabase(url, { poolSize: 4 });
    onTestFinished(() => restored.db.destroy());
    current = { db: restored.db };
    const outcome = await account.sync();
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged({ ...account, read: (work) => inWorkspace(restored.db, account.workspaceId, work) });
  });

  test("by a login that row-level security binds holds the rows of all workspaces, and it can restore them", async () => {
    const owner = { name: `owner_${randomUUID().slice(0, 8)}`, password: "test" };
    await statement(server, `create role ${owner.name} login password '${owner.password}'`);
    const [from, to] = [await emptyDatabase(owner), await emptyDatabase(owner)];
    onTestFinished(async () => {
      for (const url of [from, to]) {
        const name = new URL(url).pathname.slice(1);
        await statement(server, `drop database if exists ${name} with (force)`);
      }
      await statement(server, `drop role ${owner.name}`);
    });
    await migrateToLatest(from);
    const { db } = openDatabase(from, { poolSize: 2 });
    for (const name of ["One", "Two"]) {
      const { id } = await db
        .insertInto("workspace")
        .values({ name, created_at: now })
        .returning("id")
        .executeTakeFirstOrThrow();
      const times = { created_at: now, updated_at: now };
      await inWorkspace(db, id, (trx) =>
        trx
          .insertInto("account")
          .values({ workspace_id: id, external_id: name, name, ...times })
          .execute(),
      );
    }
    await db.destroy();
    const { tables } = await backup(installation(from), file, now);
    expect(tables.find(({ name }) => name === "account")?.rows).toBe(2);
    await restore(installation(to), file, intoEmpty);
    const again = openDatabase(to, { poolSize: 2 });
    const seen = (id: number) => inWorkspace(again.db, id, (trx) => trx.selectFrom("account").select("name").execute());
    expect([await seen(1), await seen(2), await seen(3)]).toEqual([[{ name: "One" }], [{ name: "Two" }], []]);
    expect(await again.db.selectFrom("account").selectAll().execute()).toEqual([]);
    await again.db.destroy();
  });

  test("of an older schema is brought forward", async () => {
    const url = await emptyDatabase();
    const pool = new pg.Pool({ connectionString: url, max: 1 });
    const old = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
    await old.transaction().execute((trx) => migrateWithin(trx, migrationNames.slice(0, 1)));
    await sql`insert into workspace (name, created_at) values ('Old', now())`.execute(old);
    await sql`insert into held_row values (1, 1, 'tickets', 'missing:77', '{}', 'gone', now(), now())`.execute(old);
    await old.destroy();
    const { migrations } = await backup(installation(url), file, now);
    expect(migrations).toEqual(migrationNames.slice(0, 1));

    const target = await emptyDatabase();
    await restore(installation(target), file, intoEmpty);
    expect(await statement(target, "select name from kysely_migration order by name")).toEqual(
      migrationNames.map((name) => ({ name })),
    );
    expect(await statement(target, "select row_id from absence")).toEqual([{ row_id: "77" }]);
    await migrateToLatest(target); // the migrator finds nothing to do and nothing out of order
  });

  test("frees leases, ends what was running and queues its successor; numbers go on where they were", async () => {
    const url = await emptyDatabase();
    await migrateToLatest(url);
    const source = openDatabase(url, { poolSize: 2 });
    const workspaceId = (
      await source.db
        .insertInto("workspace")
        .values({ name: "W", created_at: now })
        .returning("id")
        .executeTakeFirstOrThrow()
    ).id;
    const scoped: TestDatabase = {
      ...database,
      db: source.db,
      inWorkspace: (id, work) => inWorkspace(source.db, id, work),
    };
    const { connectionId } = await bareConnection(scoped, workspaceId);
    await inWorkspace(source.db, workspaceId, async (trx) => {
      const run = { workspace_id: workspaceId, connection_id: connectionId, trigger: "schedule", requested_at: now };
      await trx
        .insertInto("sync_run")
        .values({ ...run, mode: "reconcile", state: "succeeded" })
        .execute();
      await trx.deleteFrom("sync_run").execute();
      await trx
        .insertInto("sync_run")
        .values({ ...run, mode: "full", state: "running", epoch: "4" })
        .execute();
      await trx.updateTable("connection_lease").set({ epoch: "4", holder: "a/1/b", heartbeat_at: now }).execute();
      await trx.updateTable("stream_state").set({ state: "running" }).where("stream", "=", "users").execute();
    });
    await source.db.destroy();
    await backup(installation(url), file, now);
    await restore(installation(url), file, toReplace);
    const runs = await statement(url, "select id::int, mode, state, failure_code from sync_run order by id");
    expect(runs).toEqual([
      { id: 2, mode: "full", state: "interrupted", failure_code: "interrupted" },
      { id: 3, mode: "full", state: "queued", failure_code: null },
    ]);
    expect(await statement(url, "select holder, epoch::int > 4 as newer from connection_lease")).toEqual([
      { holder: null, newer: true },
    ]);
    expect(await statement(url, "select stream from stream_state where state = 'running'")).toEqual([]);
  });
});

describe("a restore", () => {
  test("puts keys back, and what stood in their place is kept under another name", async () => {
    await smallBackup();
    const source = installation(await emptyDatabase());
    await migrateToLatest(source.databaseUrl ?? "");
    fs.writeFileSync(path.join(source.dataDir, "secrets.json"), "the old keys");
    fs.writeFileSync(path.join(source.dataDir, "instance"), "not to be carried about");
    const withKeys = path.join(folder, "keys.tar.gz");
    await backup(source, withKeys, now);

    const target = installation(await emptyDatabase());
    const secrets = path.join(target.dataDir, "secrets.json");
    fs.writeFileSync(secrets, "other keys");
    const { movedAside } = await restore(target, withKeys, intoEmpty);
    expect(fs.readFileSync(secrets, "utf8")).toBe("the old keys");
    expect(fs.statSync(secrets).mode & 0o777).toBe(0o600);
    expect(movedAside).toEqual([`${secrets}.before-restore-20261122T101500Z`]);
    expect(fs.readFileSync(movedAside[0] ?? "", "utf8")).toBe("other keys");
    expect((await restore(target, withKeys, intoEmpty)).movedAside).toEqual([]);
    expect(fs.readdirSync(target.dataDir).sort()).toEqual(["secrets.json", path.basename(movedAside[0] ?? "")]);
  });

  test("refuses a database that is not empty unless told, and one that holds somebody else's tables in any case", async () => {
    await smallBackup();
    const url = await emptyDatabase();
    await migrateToLatest(url);
    await statement(url, "insert into workspace (name, created_at) values ('Mine', now())");
    const names = "select name from workspace";
    await expect(restore(installation(url), file, intoEmpty)).rejects.toThrow("not empty");
    expect(await statement(url, names)).toEqual([{ name: "Mine" }]);
    await restore(installation(url), file, toReplace);
    expect(await statement(url, names)).toEqual([{ name: "Small" }]);

    const foreign = await emptyDatabase();
    await statement(foreign, "create table account (theirs text)");
    await expect(restore(installation(foreign), file, toReplace)).rejects.toThrow("not Bellwether's");
    expect(await statement(foreign, "select * from account")).toEqual([]);
    await statement(url, "insert into kysely_migration values ('2999-01-01-later', '2999')");
    await expect(restore(installation(url), file, toReplace)).rejects.toThrow("newer version");
  });

  test("refuses while somebody serves from the database, or did a moment ago", async () => {
    await smallBackup();
    const url = await emptyDatabase();
    await migrateToLatest(url);
    const { db } = openDatabase(url, { poolSize: 1 });
    await db.selectFrom("workspace").selectAll().execute();
    await expect(restore(installation(url), file, toReplace)).rejects.toThrow("Bellwether is running on this data");
    await db.destroy();
    await statement(
      url,
      `insert into workspace (name, created_at) values ('W', now());
       insert into connection_lease values (1, 1, 5, 'x/1/y', now())`,
    );
    await expect(restore(installation(url), file, toReplace)).rejects.toThrow("A process worked on this data");
    await statement(url, "update connection_lease set heartbeat_at = now() - interval '30 seconds'");
    await restore(installation(url), file, toReplace);
  });

  test("that fails in the middle changes nothing", async () => {
    await smallBackup();
    const url = await emptyDatabase();
    await migrateToLatest(url);
    await statement(url, "insert into workspace (name, created_at) values ('Mine', now())");
    const before = await contentOf(url);
    const storage = installation(url);
    fs.writeFileSync(path.join(storage.dataDir, "secrets.json"), "mine");
    // The tables of the backup do not fit their schema: the load itself breaks.
    const broken = rewritten((text) => text.replace(/"time_zone",/, '"no_such_column",'));
    await expect(restore(storage, broken, toReplace)).rejects.toThrow("no_such_column");
    expect(await contentOf(url)).toEqual(before);
    expect(fs.readdirSync(storage.dataDir)).toEqual(["secrets.json"]);
  });

  test("whose file breaks, or that is called off, in the middle of a table lets go at once and changes nothing", async () => {
    await smallBackup();
    const { migrations, tables, sequences } = (await readArchive(file)).manifest;
    const url = await emptyDatabase();
    await migrateToLatest(url);
    const before = await contentOf(url);
    const target = await Target.open(url);
    const [table] = tables.filter(({ name }) => name === "workspace");
    const fill = async (load: Load) => {
      if (table) await load.into(table).put(Buffer.from("1\tHalf a row"));
      throw new Error("the disk could not be read");
    };
    await expect(target.replace({ migrations, tables, sequences }, fill, async () => {})).rejects.toThrow("the disk");
    await target.close();
    const calledOff = { ...toReplace, signal: AbortSignal.abort(new Error("called off")) };
    await expect(restore(installation(url), file, calledOff)).rejects.toThrow("called off");
    expect(await contentOf(url)).toEqual(before);
  });

  /** The saved file with its manifest changed: entries lie one after the other, uncompressed, and the manifest is the last. */
  function rewritten(change: (manifest: string) => string): string {
    const bytes = gunzipSync(fs.readFileSync(file)).toString("latin1");
    const at = bytes.lastIndexOf('{\n  "format"');
    const end = bytes.indexOf("\n}\0", at) + 2;
    const manifest = bytes.slice(at, end);
    // The entry keeps its size: what the change saves or costs is made up in spaces.
    const changed = change(manifest.replaceAll("\n      ", " ")).padEnd(manifest.length, " ");
    if (changed.length !== manifest.length) throw new Error("The change does not fit.");
    const other = path.join(folder, "changed.tar.gz");
    fs.writeFileSync(other, gzipSync(Buffer.from(bytes.slice(0, at) + changed + bytes.slice(end), "latin1")));
    return other;
  }

  test.each<[string, () => string, string]>([
    ["does not exist", () => path.join(folder, "nowhere.tar.gz"), "There is no file"],
    ["is a folder", () => folder, "is a folder"],
    ["is some text", () => written(Buffer.from("dear all")), "is not a backup"],
    ["is somebody else's archive", () => written(gzipSync(Buffer.from("dear all"))), "is not a backup"],
    ["is cut off", () => written(fs.readFileSync(file).subarray(0, -200)), "is cut off"],
    ["lost its last entries", () => written(gzipSync(withoutManifest())), "is cut off"],
    ["is damaged", () => written(gzipSync(flipped())), "is damaged: the table workspace"],
    ["holds what it does not list", () => written(gzipSync(renamed())), "is damaged: "],
    ["is of a newer format", () => rewritten((text) => text.replace('"format": 1', '"format": 2')), "newer version"],
    ["is of a newer schema", () => rewritten((text) => text.replace("-02-trust", "-09-trust")), "newer version"],
    [
      "has a broken manifest",
      () => rewritten((text) => text.replace('"tables"', '"tablez"')),
      "is damaged: its manifest",
    ],
  ])("from a file that %s says so, and nothing is touched", async (_, spoil, words) => {
    await smallBackup();
    const storage: Storage = { databaseUrl: "postgres://nobody@127.0.0.1:1/none", dataDir: path.join(folder, "none") };
    await expect(restore(storage, spoil(), toReplace)).rejects.toThrow(words);
    expect(fs.existsSync(storage.dataDir)).toBe(false);
  });

  function written(bytes: Buffer): string {
    const other = path.join(folder, "other.tar.gz");
    fs.writeFileSync(other, bytes);
    return other;
  }
  const tarOf = () => gunzipSync(fs.readFileSync(file));
  function withoutManifest(): Buffer {
    const bytes = tarOf();
    const at = bytes.lastIndexOf("manifest.json");
    return Buffer.concat([bytes.subarray(0, at - (at % 512)), Buffer.alloc(1024)]);
  }
  /** One more entry of the right form, whose name nobody listed. */
  function renamed(): Buffer {
    const bytes = tarOf();
    const at = bytes.lastIndexOf("manifest.json");
    const entry = Buffer.concat([bytes.subarray(0, 512), Buffer.alloc(512)]);
    entry.fill(0, 0, 100).write("kept/instance", 0);
    entry.write("00000000001 ", 124);
    entry.fill(" ", 148, 156);
    const sum = entry.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    entry.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([bytes.subarray(0, at - (at % 512)), entry, bytes.subarray(at - (at % 512))]);
  }
  function flipped(): Buffer {
    const bytes = tarOf();
    bytes.write("Smell", bytes.indexOf("Small"));
    return bytes;
  }
});

test("one stream read alone moves no other stream's place, which stands in the rows' own database", async () => {
  const world = randomWorld(53, { tickets: 20, days: 5, turmoil: false });
  const account = await connect(database, world);
  await account.sync();
  const places = () =>
    account.read((trx) =>
      trx
        .selectFrom("stream_state")
        .select(["stream", "position", "resume_from", "fresh_through", "updated_at"])
        .where("connection_id", "=", account.connectionId)
        .where("purpose", "=", "incremental")
        .orderBy("stream")
        .execute(),
    );
  const before = await places();
  expect(before).toHaveLength(7);
  world.advance(24 * HOUR);
  await account.sync({ streams: ["users"] });
  const others = (all: typeof before) => all.filter(({ stream }) => stream !== "users");
  expect(others(await places())).toEqual(others(before));
  expect(await places()).not.toEqual(before);
});

test("a backup that is called off leaves nothing behind", async () => {
  const workspace = await database.workspace();
  expect(workspace).toBeGreaterThan(0);
  const calledOff = AbortSignal.abort(new Error("called off"));
  await expect(backup(installation(database.url), file, now, calledOff)).rejects.toThrow("called off");
  expect(fs.readdirSync(folder).filter((name) => name.startsWith("saved"))).toEqual([]);
});

test("a backup's name says when, and one that exists is not overwritten", async () => {
  expect(backupName(now)).toBe("bellwether-backup-20261122T101500Z.tar.gz");
  fs.writeFileSync(file, "mine");
  await expect(backup(installation(database.url), file, now)).rejects.toThrow("exists already");
  expect(fs.readFileSync(file, "utf8")).toBe("mine");
  const nothing = { databaseUrl: null, dataDir: path.join(folder, "never") };
  await expect(backup(nothing, path.join(folder, "b.tar.gz"), now)).rejects.toThrow("There is nothing to save");
  expect(fs.existsSync(nothing.dataDir)).toBe(false);
});
