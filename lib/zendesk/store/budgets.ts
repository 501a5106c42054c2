import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { Budget, Endpoint } from "#lib/zendesk/budgets.ts";

/** Whether an account takes requests. Null: nothing known to the contrary. */
export interface AccountState {
  blockedUntil: Date | null;
  slowUntil: Date | null;
}

/**
 * Keeps everybody else from the account's budgets until the transaction ends. A counter that a crash of the database forgets is
 * better than a flush to disk for every request, and who stands still here holds up others for five seconds at most.
 */
export async function lockAccount(trx: Trx, account: string): Promise<AccountState> {
  for (;;) {
    const row = await trx
      .selectFrom("zendesk_account")
      .select((eb) => [
        "blocked_until as blockedUntil",
        "slow_until as slowUntil",
        eb.fn<string>("set_config", [sql.lit("synchronous_commit"), sql.lit("off"), sql.lit(true)]).as("commit"),
        eb
          .fn<string>("set_config", [sql.lit("idle_in_transaction_session_timeout"), sql.lit("5000"), sql.lit(true)])
          .as("idle"),
      ])
      .where("account", "=", account)
      .forUpdate()
      .executeTakeFirst();
    if (row) return row;
    await trx
      .insertInto("zendesk_account")
      .values({ account, blocked_until: null, slow_until: null })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/**
 * The budgets of these names and those that were announced for the endpoint, with the database's time: after `lockAccount`, in a
 * statement of its own, so that it sees what whoever held the lock before has written.
 */
export async function readBudgetsFor(
  trx: Trx,
  account: string,
  names: string[],
  endpoint: Endpoint,
): Promise<{ known: Budget[]; at: Date }> {
  const rows = await trx
    .selectFrom(sql<{ at: Date }>`(select clock_timestamp() as at)`.as("c"))
    .leftJoin("zendesk_budget as b", (join) =>
      join.on((eb) =>
        eb.and([
          eb("b.account", "=", account),
          eb.or([
            eb("b.bucket", "=", sql<string>`any(${names}::text[])`),
            eb(sql`${endpoint}::text`, "=", sql`any(b.drawn_by)`),
          ]),
        ]),
      ),
    )
    .select("c.at")
    .selectAll("b")
    .execute();
  const known = rows.flatMap((row) =>
    row.bucket === null
      ? []
      : [
          {
            bucket: row.bucket,
            drawnBy: row.drawn_by ?? [],
            announced: row.announced ?? false,
            limit: Number(row.limit),
            remaining: Number(row.remaining),
            used: Number(row.used),
            countedFrom: row.counted_from?.getTime() ?? 0,
            others: Number(row.others),
            othersAt: row.others_at?.getTime() ?? 0,
            window: Number(row.window_ms),
            resetAt: row.reset_at?.getTime() ?? 0,
            lastTakenAt: row.last_taken_at?.getTime() ?? 0,
            recent: (row.recent ?? []).map((at) => at.getTime()),
          },
        ],
  );
  return { known, at: rows[0]?.at ?? new Date() };
}

export async function saveBudgets(trx: Trx, account: string, budgets: Budget[]): Promise<void> {
  if (budgets.length === 0) return;
  await trx
    .insertInto("zendesk_budget")
    .values(
      budgets.map((budget) => ({
        account,
        bucket: budget.bucket,
        drawn_by: budget.drawnBy,
        announced: budget.announced,
        limit: budget.limit,
        remaining: budget.remaining,
        used: budget.used,
        counted_from: new Date(budget.countedFrom),
        others: budget.others,
        others_at: new Date(budget.othersAt),
        window_ms: budget.window,
        reset_at: new Date(budget.resetAt),
        last_taken_at: new Date(budget.lastTakenAt),
        recent: budget.recent.map((at) => new Date(at)),
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(["account", "bucket"]).doUpdateSet((eb) => ({
        drawn_by: eb.ref("excluded.drawn_by"),
        announced: eb.ref("excluded.announced"),
        limit: eb.ref("excluded.limit"),
        remaining: eb.ref("excluded.remaining"),
        used: eb.ref("excluded.used"),
        counted_from: eb.ref("excluded.counted_from"),
        others: eb.ref("excluded.others"),
        others_at: eb.ref("excluded.others_at"),
        window_ms: eb.ref("excluded.window_ms"),
        reset_at: eb.ref("excluded.reset_at"),
        last_taken_at: eb.ref("excluded.last_taken_at"),
        recent: eb.ref("excluded.recent"),
      })),
    )
    .execute();
}

export async function deleteBudgets(trx: Trx, account: string, buckets: string[]): Promise<void> {
  if (buckets.length === 0) return;
  await trx.deleteFrom("zendesk_budget").where("account", "=", account).where("bucket", "in", buckets).execute();
}

/** Forgets single tickets, organizations and users whose window was over before `before`. */
export async function deleteOldTargets(trx: Trx, account: string, before: Date): Promise<void> {
  await trx
    .deleteFrom("zendesk_budget")
    .where("account", "=", account)
    .where("bucket", "like", "%:%")
    .where("reset_at", "<", before)
    .execute();
}

export async function saveAccount(trx: Trx, account: string, state: AccountState): Promise<void> {
  await trx
    .updateTable("zendesk_account")
    .set({ blocked_until: state.blockedUntil, slow_until: state.slowUntil })
    .where("account", "=", account)
    .execute();
}

export async function findAccount(db: Db, account: string): Promise<AccountState | undefined> {
  return db
    .selectFrom("zendesk_account")
    .select(["blocked_until as blockedUntil", "slow_until as slowUntil"])
    .where("account", "=", account)
    .executeTakeFirst();
}

export async function listBudgets(db: Db, account: string) {
  return db
    .selectFrom("zendesk_budget")
    .select(["bucket", "limit", "remaining", "used", "reset_at as resetAt"])
    .where("account", "=", account)
    .where("bucket", "not like", "%:%")
    .orderBy("bucket")
    .execute();
}
