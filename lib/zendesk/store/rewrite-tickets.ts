import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { applyDeltas, type MetricSettings, type Sql } from "#lib/metrics/counts.ts";
import { resumAccountsOf } from "#lib/metrics/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

interface Rewrite {
  /** Which rows of `ticket was`. */
  chosen: Sql;
  /** More columns of them, from before the write. */
  extra?: Sql;
  set: Sql;
  /** The columns of the contribution that the write changes, as expressions over the chosen rows. */
  becomes: Partial<Record<"deleted_at" | "status_category" | "rating" | "rated_at", Sql>>;
  /** Joined to the rows as they are chosen. */
  from?: Sql;
}

/** Changes stored tickets in place and carries the difference into the counts. Answers the ids of those it changed. */
export async function rewriteTickets(
  trx: Trx,
  scope: Scope,
  settings: MetricSettings,
  write: Rewrite,
): Promise<string[]> {
  const { workspaceId: ws, connectionId: connection } = scope;
  const becomes = (column: keyof Rewrite["becomes"]) => write.becomes[column] ?? sql.raw(column);
  const { rows } = await sql<{ ids: string[] | null; organizations: string[] | null }>`
    with chosen as materialized (
      select was.id, was.organization_id, was.created_at, was.rated_at, was.deleted_at, was.priority, was.status_category,
             was.rating, was.merged ${write.extra ?? sql``}
        from ticket was ${write.from ?? sql``}
       where was.workspace_id = ${ws}::int and was.connection_id = ${connection}::int and ${write.chosen}),
    written as (
      update ticket set ${write.set} from chosen
       where ticket.workspace_id = ${ws}::int and ticket.connection_id = ${connection}::int and ticket.id = chosen.id),
    delta as (
      select organization_id, created_at, ${becomes("rated_at")} as rated_at, ${becomes("deleted_at")} as deleted_at, priority,
             ${becomes("status_category")} as status_category, ${becomes("rating")} as rating, merged, 1 as sign from chosen
      union all
      select organization_id, created_at, rated_at, deleted_at, priority, status_category, rating, merged, -1 from chosen),
    ${applyDeltas(settings, connection)}
    select (select array_agg(id) from chosen) as ids,
           (select array_agg(organization_id) from changed_organization) as organizations`.execute(trx);
  await resumAccountsOf(trx, scope, rows[0]?.organizations ?? []);
  return rows[0]?.ids ?? [];
}
