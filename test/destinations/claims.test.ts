import { sql } from "kysely";
import pg from "pg";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Db, inWorkspace, openDatabase, type Trx } from "#db/client.ts";
import { type Claimed, claimDeliveries, mostInFlight, settleDelivery } from "#lib/destinations/store/claims.ts";
import { insertDeliveries } from "#lib/destinations/store/deliveries.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { openQueue, type Queue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";

/*
 * A bank: whoever ends a delivery reads the balance of each of its lanes and adds one to it in that transaction, by hand, with
 * neither a unique key nor a lock of its own. Only the claim stands between two holders.
 */

const database = useDatabase();
const [holders, queuers, wanted] = [4, 3, 90];
const lanes = ["u:a", "u:b", "o:c", "o:d", "t:e", "t:f"];

async function asOwner(text: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query(text).finally(() => owner.end());
}

beforeAll(() =>
  asOwner(`create table lane_bank (connection_id int not null, lane text not null, balance int not null);
    create table lane_entry (connection_id int not null, lane text not null, balance int not null, delivery_id bigint not null);
    grant all on lane_bank, lane_entry to bellwether_app`),
);
const opened: Db[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()));
});

/** So many looks in a row that find nothing to do say that nobody will do what is left. */
const mostIdle = 600;

const nap = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A process with connections of its own, each at the level that the database has now. */
function openProcess(): Db {
  const { db } = openDatabase(database.url, { poolSize: 2 });
  opened.push(db);
  return db;
}

interface Bank {
  queue: Queue;
  /** The clock that all processes have; it stands still but for holders that do. */
  clock: { now: number };
  ended: Set<string>;
  /** Claims that others had taken over when their holders came to the end. */
  lost: number;
  wrong: string[];
}

/** What a database that holds to its level says to one of two; who hears it begins anew. */
const isTurnedAway = (error: unknown) => (error as { code?: string }).code === "40001";
async function untilTaken<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTurnedAway(error)) throw error;
      await nap(5);
    }
  }
}

/** A transaction that is committed only a while after its last statement. */
function stalling<T>(db: Db, scope: Scope, random: Random, work: (trx: Trx) => Promise<T>): Promise<T> {
  return inWorkspace(db, scope.workspaceId, async (trx) => {
    const done = await work(trx);
    await nap(random.between(0, 8));
    return done;
  });
}

const times = ({ clock }: Bank) => ({ now: new Date(clock.now), shared: new Date(clock.now) });

/** A process that queues commands, some of which are about two things. */
async function queueCommands(bank: Bank, seed: number): Promise<void> {
  const { scope, destinationId } = bank.queue;
  const [db, random] = [openProcess(), seededRandom(seed)];
  const command = { fields: {}, unmapped: {} };
  const what = { ...scope, destinationId, eventId: null, messageId: null, action: "upsert_user" as const, command };
  for (let n = 0; n < wanted / queuers; n++) {
    const named = [...new Set([random.pick(lanes), ...(random.chance(0.3) ? [random.pick(lanes)] : [])])];
    const row = { ...what, actionVersion: 1, commandKey: `${seed}/${n}`, lanes: named };
    await untilTaken(() =>
      stalling(db, scope, random, (trx) => insertDeliveries(trx, scope.workspaceId, [row], new Date(bank.clock.now))),
    );
    await nap(random.between(0, 6));
  }
}

/** A process that claims, stands still past its claim now and then, and ends what it still holds. */
async function workOff(bank: Bank, seed: number): Promise<void> {
  const { scope } = bank.queue;
  const [db, random] = [openProcess(), seededRandom(seed)];
  for (let turn = 0, idle = 0; bank.ended.size < wanted && idle < mostIdle; turn++) {
    const claimed = await untilTaken(() =>
      stalling(db, scope, random, (trx) =>
        claimDeliveries(trx, scope, `holder-${seed}/${turn}`, random.between(1, 4), times(bank)),
      ),
    );
    idle = claimed.length === 0 ? idle + 1 : 0;
    if (claimed.length === 0) await nap(random.between(1, 5));
    else await inspect(bank, db);
    for (const delivery of claimed) {
      await nap(random.between(0, 4));
      if (random.chance(0.1)) {
        bank.clock.now += 5 * MINUTE + SECOND;
        await nap(20);
      }
      await deposit(bank, db, delivery, random.between(0, 4));
    }
  }
}

async function deposit(bank: Bank, db: Db, delivery: Claimed, stall: number): Promise<void> {
  const { scope } = bank.queue;
  const id = scope.connectionId;
  const words = { code: null, reason: null, fix: null, notes: [], result: null, affected: null };
  const settled = { ...words, state: "done", attempts: delivery.attempts, retries: 0, dueAt: null };
  const isMine = await untilTaken(() =>
    inWorkspace(db, scope.workspaceId, async (trx) => {
      if (!(await settleDelivery(trx, scope, delivery, settled, new Date(bank.clock.now)))) return false;
      for (const lane of delivery.lanes) {
        const { rows } = await sql<{ balance: number }>`select balance from lane_bank
          where connection_id = ${id} and lane = ${lane}`.execute(trx);
        const balance = (rows[0]?.balance ?? 0) + 1;
        await nap(stall);
        await sql`insert into lane_entry values (${id}, ${lane}, ${balance}, ${delivery.id})`.execute(trx);
        await sql`update lane_bank set balance = ${balance} where connection_id = ${id} and lane = ${lane}`.execute(
          trx,
        );
      }
      return true;
    }),
  );
  if (isMine) bank.ended.add(delivery.id);
  else bank.lost += 1;
}

/** What is under way at this instant, in one look. */
async function inspect(bank: Bank, db: Db): Promise<void> {
  const now = new Date(bank.clock.now);
  const held = await untilTaken(() =>
    inWorkspace(db, bank.queue.scope.workspaceId, (trx) =>
      trx.selectFrom("delivery").select(["id", "lanes"]).where("claimed_until", ">", now).execute(),
    ),
  );
  if (held.length > mostInFlight) bank.wrong.push(`${held.length} are under way at once`);
  const taken = held.flatMap((one) => one.lanes);
  if (new Set(taken).size < taken.length) bank.wrong.push(`two of one lane are under way: ${JSON.stringify(held)}`);
}

describe("the claim guards what is done under it", () => {
  test.each(["read committed", "repeatable read", "serializable"])(
    "where the database's level is %s: each command ends once, in the order of its lanes, and no more than may be are under way (row 83)",
    async (level) => {
      const queue = await openQueue(database);
      const { connectionId } = queue.scope;
      for (const lane of lanes)
        await sql`insert into lane_bank values (${connectionId}, ${lane}, 0)`.execute(database.db);
      await asOwner(
        `alter database ${new URL(database.url).pathname.slice(1)} set default_transaction_isolation = '${level}'`,
      );
      const bank: Bank = { queue, clock: { now: queue.world.now() }, ended: new Set(), lost: 0, wrong: [] };
      await Promise.all([
        ...Array.from({ length: queuers }, (_, n) => queueCommands(bank, 100 + n)),
        ...Array.from({ length: holders }, (_, n) => workOff(bank, 200 + n)),
      ]);
      expect(bank.wrong).toEqual([]);
      const left = queue.read((trx) =>
        trx.selectFrom("delivery").select(["id", "state", "lanes", "waits_for"]).where("state", "<>", "done").execute(),
      );
      expect(await left).toEqual([]);
      expect(bank.lost).toBeGreaterThan(0);
      const { rows } = await sql<{
        lane: string;
        balance: number;
        delivery_id: string;
      }>`select lane, balance, delivery_id
        from lane_entry where connection_id = ${connectionId} order by lane, balance, delivery_id`.execute(database.db);
      for (const lane of lanes) {
        const entries = rows.filter((row) => row.lane === lane);
        expect(entries.map(({ balance }) => balance)).toEqual(entries.map((_, n) => n + 1));
        const ids = entries.map(({ delivery_id }) => Number(delivery_id));
        expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      }
      expect(new Set(rows.map((row) => row.delivery_id)).size).toBe(wanted);
    },
    120_000,
  );
});
