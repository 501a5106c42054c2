import type { Db } from "#db/client.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import type { ChaosAccount } from "../accounts.ts";
import type { Violation } from "../violation.ts";
import { snapshot } from "./snapshot.ts";

/** Between the request for a page and its commit; and how late rows may show. */
const slack = 30 * MINUTE;

/** INV-CURSOR: a committed place never lies ahead of the rows that lead to it. */
export async function ahead(
  db: Db,
  account: ChaosAccount,
  skew: number,
  hidden: ReadonlySet<string>,
): Promise<Violation[]> {
  const { workspaceId, connectionId } = account.scope;
  const { states, stored } = await snapshot(db, workspaceId, async (trx) => ({
    states: await trx
      .selectFrom("stream_state")
      .select(["stream", "purpose", "position", "updated_at"])
      .where("connection_id", "=", connectionId)
      .where("stream", "in", ["tickets", "users"])
      .where("purpose", "in", ["incremental", "full"])
      .execute(),
    stored: {
      tickets: new Set(
        (await trx.selectFrom("ticket").select("id").where("connection_id", "=", connectionId).execute()).map(
          ({ id }) => id,
        ),
      ),
      users: new Set(
        (await trx.selectFrom("zendesk_user").select("id").where("connection_id", "=", connectionId).execute()).map(
          ({ id }) => id,
        ),
      ),
      held: new Set(
        (await trx.selectFrom("held_row").select("row_key").where("connection_id", "=", connectionId).execute()).map(
          ({ row_key }) => row_key,
        ),
      ),
    },
  }));
  return states.flatMap(({ stream, purpose, position, updated_at }) => {
    const place = position === null ? null : (JSON.parse(position) as { start: number; through: number | null });
    if (!place || place.through === null) return [];
    const before = updated_at.getTime() - skew - slack;
    const passed = versionsOf(account, stream)
      .filter(({ second, visible }) => second >= place.start && second < (place.through ?? 0) && visible < before)
      .filter(({ id }) => !stored[stream as "tickets" | "users"].has(id) && !stored.held.has(id) && !hidden.has(id));
    return passed.map(({ id }) => ({
      invariant: "INV-CURSOR" as const,
      what: `${account.subdomain} ${stream} (${purpose}): the place has passed ${id}, which is not stored`,
    }));
  });
}

function versionsOf({ world }: ChaosAccount, stream: string): { id: string; second: number; visible: number }[] {
  if (stream === "users") {
    return [...world.users.byId.values()].map(({ id, updatedAt }) => ({
      id,
      second: Math.floor(updatedAt / SECOND),
      visible: updatedAt,
    }));
  }
  return [...world.tickets.byId.values()].map(({ id, generatedTimestamp, visibleFrom }) => ({
    id,
    second: generatedTimestamp,
    visible: Math.max(visibleFrom, generatedTimestamp * SECOND + MINUTE),
  }));
}
