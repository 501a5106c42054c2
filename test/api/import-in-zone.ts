import { sql } from "kysely";
import { inWorkspace } from "#db/client.ts";
import { upsertAccounts } from "#lib/accounts/upsert.ts";
import { createConnection } from "#lib/connections/create.ts";
import { type ConnectionAuth, connectionBody } from "#lib/connections/shapes.ts";
import { context } from "#lib/context.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { executeRun } from "#lib/jobs/run.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { readAccountMetrics } from "#lib/reports/account.ts";

/*
 * A process of its own, in whatever zone its environment names: reads an account of Zendesk into a new database at one
 * instant, counts everything again, and prints what is stored then.
 */

const { IMPORT_SUBDOMAIN: subdomain = "", IMPORT_AUTH = "{}", IMPORT_NOW = "" } = process.env;
const auth = JSON.parse(IMPORT_AUTH) as ConnectionAuth;
const now = new Date(IMPORT_NOW);
const ctx = context();

const { id: workspaceId } = await ctx.db
  .insertInto("workspace")
  .values({ name: "Zone", time_zone: "America/New_York", created_at: now })
  .returning("id")
  .executeTakeFirstOrThrow();
const inside = <T>(work: Parameters<typeof inWorkspace<T>>[2]) => inWorkspace(ctx.db, workspaceId, work);
const body = connectionBody.parse({ kind: "zendesk", subdomain, auth });
const scope = await createConnection(ctx, workspaceId, body, "the test", now);
await inside((trx) =>
  putMatchKeys(trx, scope, [{ organizationField: "external_id", accountField: "externalId", normalize: "exact" }]),
);
await inside((trx) => upsertAccounts(trx, workspaceId, [{ externalId: "NW-1", name: "Northwind" }], now));

const ends: unknown[] = [];
for (const mode of ["incremental", "reconcile"] as const) {
  await inside((trx) => requestRun(trx, scope, { mode, trigger: "person" }, now));
  const signal = new AbortController().signal;
  ends.push(
    await executeRun(ctx, scope, {
      holder: thisHolder(null),
      clock: () => now,
      hold: () => {},
      stop: () => null,
      signal,
    }),
  );
}
const { differing } = await inside((trx) => rebuildMetrics(trx, workspaceId, now));

const tables = [
  "organization",
  "zendesk_user",
  "zendesk_group",
  "ticket",
  "ticket_payload",
  "ticket_event",
  "satisfaction_rating",
  "timeline_entry",
  "org_day",
  "org_metric",
  "account_metric",
  "drift_day",
];
console.log(
  JSON.stringify({
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    offset: now.getTimezoneOffset(),
    ends,
    differing,
  }),
);
for (const table of tables) {
  // When it was asked for, the database's own clock says.
  const { rows } = await inside((trx) =>
    sql<{
      row: string;
    }>`select (to_jsonb(t) - 'fetched_at')::text as row from ${sql.table(table)} t order by 1`.execute(trx),
  );
  console.log(`${table} ${rows.length}\n${rows.map(({ row }) => row).join("\n")}`);
}
const { id: account } = await inside((trx) => trx.selectFrom("account").select("id").executeTakeFirstOrThrow());
for (const asOf of ["2026-03-07", "2026-03-08"]) {
  const answer = await inside((trx) => readAccountMetrics(trx, workspaceId, account, { asOf }, now));
  // It is claimed to the millisecond of an answer.
  console.log(JSON.stringify({ ...answer, freshThrough: null }));
}
await ctx.db.destroy();
// A pipe takes more than its buffer holds only while this process lives.
process.stdout.write("", () => process.exit(0));
