import { type IsolationLevel, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inWorkspace, openDatabase, type Trx } from "#db/client.ts";
import { fence, type Lease, LeaseLost, leaseTimes, takeLease } from "#lib/jobs/lease.ts";
import { freeLease } from "#lib/jobs/store/leases.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { bareConnection, holder } from "#test/jobs/ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";

/*
 * A bank: what a holder reads in a transaction it adds one to in that transaction, by hand, with neither a unique key nor
 * a lock of its own. Only the lease stands between two holders, so that every takeover that overlaps a commit shows.
 */

const database = useDatabase();
const times = leaseTimes(40);
const holders = 6;
const wanted = 120;

async function asOwner(text: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(text).finally(() => owner.end());
}

beforeAll(() =>
  asOwner(`create table bank (connection_id int not null, balance int not null);
    create table bank_entry (connection_id int not null, balance int not null, epoch bigint not null, holder text not null);
    grant all on bank, bank_entry to bellwether_app`),
);
const pool = { open: undefined as ReturnType<typeof openDatabase> | undefined };
beforeAll(() => {
  pool.open = openDatabase(database.url, { poolSize: holders });
});
afterAll(() => pool.open?.db.destroy());
const db = () => {
  if (!pool.open) throw new Error("The pool is open inside tests only.");
  return pool.open.db;
};

const nap = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One deposit under a lease; `stall` is how long the holder stands still between reading and writing. */
function deposit(lease: Lease, level: IsolationLevel, stall: number): Promise<void> {
  return db()
    .transaction()
    .setIsolationLevel(level)
    .execute(async (trx: Trx) => {
      await sql`select set_config('app.workspace', ${String(lease.workspaceId)}, true)`.execute(trx);
      await fence(trx, lease, { ...times, longestIdle: 10_000 });
      const id = lease.connectionId;
      const { rows } = await sql<{ balance: number }>`select balance from bank where connection_id = ${id}`.execute(
        trx,
      );
      const balance = (rows[0]?.balance ?? 0) + 1;
      await nap(stall);
      await sql`insert into bank_entry values (${id}, ${balance}, ${lease.epoch}, ${lease.holder})`.execute(trx);
      await sql`update bank set balance = ${balance} where connection_id = ${id}`.execute(trx);
    });
}

async function balanceOf(scope: Scope): Promise<number> {
  const { rows } = await sql<{ balance: number }>`select balance from bank
    where connection_id = ${scope.connectionId}`.execute(db());
  return rows[0]?.balance ?? 0;
}

/** A process that takes the lease when it can, deposits, stalls past its silence now and then, and gives it back sometimes. */
async function holdAndDeposit(scope: Scope, level: IsolationLevel, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const self = holder();
  while ((await balanceOf(scope)) < wanted) {
    const lease = await inWorkspace(db(), scope.workspaceId, (trx) => takeLease(trx, scope, self, times));
    if (lease) await depositUntilLost(lease, level, random);
    else await nap(5 + random.next() * 10);
  }
}

async function depositUntilLost(lease: Lease, level: IsolationLevel, random: { next(): number }): Promise<void> {
  for (let n = 0; n < 10; n++) {
    // Stalls before, inside and after a commit reach past the silence.
    if (random.next() < 0.2) await nap(times.silence * 1.5);
    try {
      await deposit(lease, level, random.next() < 0.2 ? times.silence * 1.5 : 0);
    } catch (error) {
      if (error instanceof LeaseLost) return;
      if ((error as { code?: string }).code !== "40001") throw error;
    }
  }
  await inWorkspace(db(), lease.workspaceId, (trx) => freeLease(trx, lease));
}

describe("the lease guards what is read and written under it", () => {
  test.each<IsolationLevel>(["read committed", "repeatable read", "serializable"])(
    "at %s: no deposit is lost, none is made by a holder after its successor's",
    async (level) => {
      const scope = await bareConnection(database, await database.workspace());
      await sql`insert into bank values (${scope.connectionId}, 0)`.execute(db());
      await Promise.all(Array.from({ length: holders }, (_, n) => holdAndDeposit(scope, level, 100 + n)));
      const { rows } = await sql<{ balance: number; epoch: string; holder: string }>`select balance, epoch, holder
        from bank_entry where connection_id = ${scope.connectionId} order by balance, epoch`.execute(db());
      expect(rows.map(({ balance }) => balance)).toEqual(Array.from({ length: rows.length }, (_, n) => n + 1));
      expect(await balanceOf(scope)).toBe(rows.length);
      const epochs = rows.map(({ epoch }) => Number(epoch));
      expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
      const ofEpoch = (epoch: string) => rows.filter((row) => row.epoch === epoch);
      const distinct = [...new Set(rows.map(({ epoch }) => epoch))];
      for (const epoch of distinct) expect(new Set(ofEpoch(epoch).map(({ holder }) => holder)).size).toBe(1);
      expect(distinct.length).toBeGreaterThan(5);
    },
    60_000,
  );
});
