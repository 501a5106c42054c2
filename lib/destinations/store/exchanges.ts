import type { Db, Trx } from "#db/client.ts";
import type { EarlierExchange } from "#lib/destinations/attempt.ts";

export type ExchangeOutcome = EarlierExchange["outcome"];

/** An exchange with Zendesk, its texts cut and without secrets. */
export interface NewExchange {
  position: number;
  attempt: number;
  step: string;
  isWrite: boolean;
  method: string;
  path: string;
  request: string | null;
  status: number | null;
  response: string | null;
  outcome: ExchangeOutcome;
  sentAt: Date;
  endedAt: Date | null;
}

/** Keeps exchanges as they stand; one that was noted as open before gets its end. */
export async function saveExchanges(
  trx: Trx,
  workspaceId: number,
  deliveryId: string,
  exchanges: readonly NewExchange[],
): Promise<void> {
  if (exchanges.length === 0) return;
  await trx
    .insertInto("delivery_exchange")
    .values(
      exchanges.map(({ isWrite, sentAt, endedAt, ...exchange }) => ({
        ...exchange,
        workspace_id: workspaceId,
        delivery_id: deliveryId,
        is_write: isWrite,
        sent_at: sentAt,
        ended_at: endedAt,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "delivery_id", "position"]).doUpdateSet((eb) => ({
        status: eb.ref("excluded.status"),
        response: eb.ref("excluded.response"),
        outcome: eb.ref("excluded.outcome"),
        ended_at: eb.ref("excluded.ended_at"),
      })),
    )
    .execute();
}

/** One that was noted and not sent, since there was no budget for it. */
export async function forgetExchange(
  trx: Trx,
  workspaceId: number,
  deliveryId: string,
  position: number,
): Promise<void> {
  await trx
    .deleteFrom("delivery_exchange")
    .where("workspace_id", "=", workspaceId)
    .where("delivery_id", "=", deliveryId)
    .where("position", "=", position)
    .execute();
}

/** Those of a try that was put off before it had written anything. */
export async function forgetAttempt(trx: Trx, workspaceId: number, deliveryId: string, attempt: number): Promise<void> {
  await trx
    .deleteFrom("delivery_exchange")
    .where("workspace_id", "=", workspaceId)
    .where("delivery_id", "=", deliveryId)
    .where("attempt", "=", attempt)
    .execute();
}

/** All of a delivery, oldest first. */
export async function readExchanges(db: Db, workspaceId: number, deliveryId: string): Promise<NewExchange[]> {
  const rows = await db
    .selectFrom("delivery_exchange")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("delivery_id", "=", deliveryId)
    .orderBy("position")
    .execute();
  return rows.map((row) => ({
    position: row.position,
    attempt: row.attempt,
    step: row.step,
    isWrite: row.is_write,
    method: row.method,
    path: row.path,
    request: row.request,
    status: row.status,
    response: row.response,
    outcome: row.outcome as ExchangeOutcome,
    sentAt: row.sent_at,
    endedAt: row.ended_at,
  }));
}

/** The steps of a delivery that were written, or may have been; `attempt`: only in that one. */
export async function stepsWritten(
  trx: Trx,
  workspaceId: number,
  deliveryId: string,
  attempt: number | null,
): Promise<string[]> {
  const rows = await trx
    .selectFrom("delivery_exchange")
    .select("step")
    .distinct()
    .where("workspace_id", "=", workspaceId)
    .where("delivery_id", "=", deliveryId)
    .where("is_write", "=", true)
    .where("outcome", "in", ["done", "unknown"])
    .$if(attempt !== null, (query) => query.where("attempt", "=", attempt))
    .execute();
  return rows.map(({ step }) => step);
}

/** What was open when its process died, and was looked at since: it may have happened. */
export async function closeExchanges(trx: Trx, workspaceId: number, deliveryId: string, now: Date): Promise<void> {
  await trx
    .updateTable("delivery_exchange")
    .set({ outcome: "unknown", ended_at: now })
    .where("workspace_id", "=", workspaceId)
    .where("delivery_id", "=", deliveryId)
    .where("outcome", "=", "open")
    .execute();
}
