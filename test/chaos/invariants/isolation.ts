import type { Db } from "#db/client.ts";
import type { ChaosAccount } from "../accounts.ts";
import type { Violation } from "../violation.ts";
import { snapshot } from "./snapshot.ts";

/** INV-ISO: nothing that is stored for one account bears the mark of another. */
export async function isolated(db: Db, account: ChaosAccount): Promise<Violation[]> {
  const { scope, mark, subdomain } = account;
  const texts = await snapshot(db, scope.workspaceId, async (trx) => [
    ...(await trx
      .selectFrom("ticket")
      .select(["id", "subject as text"])
      .where("connection_id", "=", scope.connectionId)
      .execute()),
    ...(await trx
      .selectFrom("organization")
      .select(["id", "name as text"])
      .where("connection_id", "=", scope.connectionId)
      .execute()),
    ...(await trx
      .selectFrom("zendesk_user")
      .select(["id", "name as text"])
      .where("connection_id", "=", scope.connectionId)
      .execute()),
    ...(await trx
      .selectFrom("satisfaction_rating")
      .select(["id", "comment as text"])
      .where("connection_id", "=", scope.connectionId)
      .execute()),
  ]);
  return texts
    .filter(({ text }) => text?.startsWith("«") && !text.startsWith(mark))
    .map(({ id, text }) => ({
      invariant: "INV-ISO" as const,
      what: `${subdomain} holds ${id} of another account: ${text}`,
    }));
}

/** INV-ISO: what is wrong elsewhere does not keep this account from being read. */
export async function fresh(db: Db, account: ChaosAccount, now: number, oldest: number): Promise<Violation[]> {
  const { scope, subdomain } = account;
  const states = await snapshot(db, scope.workspaceId, (trx) =>
    trx
      .selectFrom("stream_state")
      .select(["stream", "fresh_through", "state"])
      .where("connection_id", "=", scope.connectionId)
      .where("purpose", "=", "incremental")
      .where("state", "<>", "not_available")
      .execute(),
  );
  return states
    .filter(({ fresh_through }) => now - (fresh_through?.getTime() ?? 0) > oldest)
    .map(({ stream, fresh_through }) => ({
      invariant: "INV-ISO" as const,
      what: `${subdomain}: nothing is wrong with it, yet ${stream} is fresh through ${fresh_through?.toISOString() ?? "nothing"} only`,
    }));
}
