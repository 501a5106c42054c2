import type { Db } from "#db/client.ts";
import type { ChaosAccount } from "../accounts.ts";
import type { RowEvent } from "../chronicle.ts";
import type { Past } from "../past.ts";
import type { Violation } from "../violation.ts";
import { snapshot } from "./snapshot.ts";

/** INV-PHANTOM: nothing is stored that the account never had. */
export async function phantomRows(db: Db, account: ChaosAccount): Promise<Violation[]> {
  const { world, scope, subdomain } = account;
  const real = {
    ticket: world.tickets.byId,
    zendesk_user: world.users.byId,
    organization: world.organizations.byId,
    zendesk_group: world.definitions.groups,
    ticket_event: new Set(world.tickets.audits.all().map(({ id }) => String(id))),
    satisfaction_rating: new Set([
      ...world.ratings.legacy.all().map(({ id }) => id),
      ...world.ratings.surveys().map(({ id }) => id),
    ]),
  };
  const tables = Object.keys(real) as (keyof typeof real)[];
  return snapshot(db, scope.workspaceId, async (trx) => {
    const found: Violation[] = [];
    for (const table of tables) {
      const rows = await trx
        .selectFrom(table as "ticket")
        .select("id")
        .distinct()
        .where("connection_id", "=", scope.connectionId)
        .execute();
      const phantoms = rows.filter(({ id }) => !real[table].has(id));
      for (const { id } of phantoms)
        found.push({ invariant: "INV-PHANTOM", what: `${subdomain}: ${table} ${id} never existed` });
    }
    return found;
  });
}

/** INV-PHANTOM, by the database's own record: no older version over a newer one, no tombstone without a deletion, no deleted row back. */
export function rowTurns(
  events: readonly RowEvent[],
  accounts: readonly ChaosAccount[],
  pasts: ReadonlyMap<ChaosAccount, Past>,
  poisoned: (account: ChaosAccount, table: string, id: string) => boolean,
): Violation[] {
  return events.flatMap((event) => {
    const account = accounts.find(({ scope }) => scope.connectionId === event.connectionId);
    const past = account && pasts.get(account);
    if (!account || !past) return [];
    const wrong = wrongOf(event, account, past);
    if (wrong === null || poisoned(account, event.table, event.id)) return [];
    return [{ invariant: "INV-PHANTOM" as const, what: `${account.subdomain}: ${event.table} ${event.id} ${wrong}` }];
  });
}

function wrongOf(event: RowEvent, { world }: ChaosAccount, past: Past): string | null {
  const { kind, table, id, detail } = event;
  if (kind === "older") return `was overwritten by an older version (${detail})`;
  if (table === "ticket") {
    if (kind === "buried") return past.deletedTickets.has(id) ? null : "was counted as deleted, and never was";
    return world.tickets.byId.get(id)?.deleted && !past.restoredTickets.has(id) ? "came back from its deletion" : null;
  }
  if (table === "organization") {
    const deleted = (world.organizations.byId.get(id)?.deletedAt ?? null) !== null;
    if (kind === "buried") return deleted ? null : "was counted as deleted, and never was";
    return deleted ? "came back from its deletion" : null;
  }
  const inactive = world.users.byId.get(id)?.active === false;
  if (kind === "buried") return inactive ? null : "was counted as deleted, and never was";
  return inactive ? "came back from its deletion" : null;
}
