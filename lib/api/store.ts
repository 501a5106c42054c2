import type { Db, Trx } from "#db/client.ts";

/** Which answer is meant; `operation` is the operation's id. */
export interface AnswerKey {
  workspaceId: number;
  key: string;
  operation: string;
}

export interface KeptRow {
  bodyHash: Buffer;
  /** Null while the first request is still at work. */
  status: number | null;
  answer: string | null;
  createdAt: Date;
}

/**
 * Claims the key. True when it is ours; false when another request has it. Waits for one whose transaction is still
 * open, and takes the key over when that one rolls back.
 */
export async function claimAnswer(trx: Trx, id: AnswerKey, claim: { bodyHash: Buffer; now: Date }): Promise<boolean> {
  const row = await trx
    .insertInto("idempotency_key")
    .values({
      workspace_id: id.workspaceId,
      key: id.key,
      operation: id.operation,
      body_hash: claim.bodyHash,
      created_at: claim.now,
    })
    .onConflict((conflict) => conflict.columns(["workspace_id", "key", "operation"]).doNothing())
    .returning("key")
    .executeTakeFirst();
  return row !== undefined;
}

export async function keptAnswer(db: Db, id: AnswerKey): Promise<KeptRow | undefined> {
  const row = await db
    .selectFrom("idempotency_key")
    .select(["body_hash", "status", "answer", "created_at"])
    .where("workspace_id", "=", id.workspaceId)
    .where("key", "=", id.key)
    .where("operation", "=", id.operation)
    .executeTakeFirst();
  return row && { bodyHash: row.body_hash, status: row.status, answer: row.answer, createdAt: row.created_at };
}

export async function keepAnswer(
  db: Db,
  id: AnswerKey,
  kept: { bodyHash: Buffer; status: number; answer: string | null },
): Promise<void> {
  await db
    .updateTable("idempotency_key")
    .set({ body_hash: kept.bodyHash, status: kept.status, answer: kept.answer })
    .where("workspace_id", "=", id.workspaceId)
    .where("key", "=", id.key)
    .where("operation", "=", id.operation)
    .execute();
}

/** Forgets an answer given before `before`, or a claim that has been pending since before `pendingBefore`. */
export async function forgetStale(db: Db, id: AnswerKey, stale: { before: Date; pendingBefore: Date }): Promise<void> {
  await db
    .deleteFrom("idempotency_key")
    .where("workspace_id", "=", id.workspaceId)
    .where("key", "=", id.key)
    .where("operation", "=", id.operation)
    .where((where) =>
      where.or([
        where("created_at", "<=", stale.before),
        where.and([where("status", "is", null), where("created_at", "<=", stale.pendingBefore)]),
      ]),
    )
    .execute();
}

export async function forgetAnswer(db: Db, id: AnswerKey): Promise<void> {
  await db
    .deleteFrom("idempotency_key")
    .where("workspace_id", "=", id.workspaceId)
    .where("key", "=", id.key)
    .where("operation", "=", id.operation)
    .execute();
}

export async function forgetAnswersBefore(db: Db, workspaceId: number, before: Date): Promise<void> {
  await db
    .deleteFrom("idempotency_key")
    .where("workspace_id", "=", workspaceId)
    .where("created_at", "<=", before)
    .execute();
}
