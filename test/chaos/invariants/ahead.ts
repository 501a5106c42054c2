import type { Db } from "#db/client.ts";
import { isKept } from "#test/support/zendesk/truth.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import type { ChaosAccount } from "../accounts.ts";
import type { Violation } from "../violation.ts";
import { snapshot } from "./snapshot.ts";

/** Streams that a cursor or a time leads through. */
const tables = {
  tickets: "ticket",
  users: "zendesk_user",
  organizations: "organization",
  ticket_events: "ticket_event",
};

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
  const { states, stored, held } = await snapshot(db, workspaceId, async (trx) => {
    const idsOf = async (table: string, id = "id") => {
      const rows = await trx
        .selectFrom(table as "ticket")
        .select(id as "id")
        .distinct()
        .where("connection_id", "=", connectionId)
        .execute();
      return new Set(rows.map((row) => String(row[id as "id"])));
    };
    return {
      states: await trx
        .selectFrom("stream_state")
        .select(["stream", "purpose", "position", "updated_at"])
        .where("connection_id", "=", connectionId)
        .where("stream", "in", Object.keys(tables))
        .where("purpose", "in", ["incremental", "full"])
        .execute(),
      stored: new Map(
        await Promise.all(Object.entries(tables).map(async ([stream, table]) => [stream, await idsOf(table)] as const)),
      ),
      held: await idsOf("held_row", "row_key"),
    };
  });
  return states.flatMap(({ stream, purpose, position, updated_at }) => {
    const place = position === null ? null : (JSON.parse(position) as { start: number; through: number | null });
    if (!place || place.through === null) return [];
    const before = updated_at.getTime() - skew - slack;
    const passed = versionsOf(account, stream)
      .filter(({ second, visible }) => second >= place.start && second < (place.through ?? 0) && visible < before)
      .filter(({ id, ticketId }) => !stored.get(stream)?.has(id) && !held.has(id) && !hidden.has(ticketId ?? id));
    return passed.map(({ id }) => ({
      invariant: "INV-CURSOR" as const,
      what: `${account.subdomain} ${stream} (${purpose}): the place has passed ${id}, which is not stored`,
    }));
  });
}

interface Version {
  id: string;
  /** Of an event. */
  ticketId?: string;
  second: number;
  visible: number;
}

function versionsOf({ world }: ChaosAccount, stream: string): Version[] {
  if (stream === "ticket_events") {
    return world.tickets.audits
      .all()
      .filter(isKept)
      .filter(({ ticketId }) => !world.tickets.existing(ticketId).aiAgent)
      .map(({ id, ticketId, at, visibleFrom }) => ({
        id: String(id),
        ticketId,
        second: Math.floor(at / SECOND),
        visible: Math.max(visibleFrom, at + MINUTE),
      }));
  }
  if (stream === "organizations") {
    return world.organizations.list().map(({ id, updatedAt }) => ({
      id,
      second: Math.floor(updatedAt / SECOND),
      visible: updatedAt,
    }));
  }
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
