import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { WriteBackRuleTable } from "#db/schema.ts";

export type StoredRule = Selectable<WriteBackRuleTable>;

export function writeBackRules(db: Db, workspaceId: number, destinationId: number): Promise<StoredRule[]> {
  return db
    .selectFrom("write_back_rule")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("destination_id", "=", destinationId)
    .orderBy("position")
    .execute();
}

/**
 * Puts rules in the place of the former ones. What was written for a field that no rule in force fills any more is forgotten,
 * and stays in Zendesk as it is.
 */
export async function replaceWriteBackRules(
  trx: Trx,
  workspaceId: number,
  destinationId: number,
  rules: readonly StoredRule[],
): Promise<void> {
  const inForce = rules.filter((rule) => rule.enabled).map((rule) => rule.organization_field);
  await sql`delete from write_back_rule
    where workspace_id = ${workspaceId} and destination_id = ${destinationId}`.execute(trx);
  await sql`delete from write_back_value where workspace_id = ${workspaceId} and destination_id = ${destinationId}
    and not organization_field = any(${inForce}::text[])`.execute(trx);
  if (rules.length > 0)
    await trx
      .insertInto("write_back_rule")
      .values([...rules])
      .execute();
}

/** Destinations that write back and can send now. */
export async function writingBack(db: Db, workspaceId: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select d.id from destination d join connection c on c.workspace_id = d.workspace_id and c.id = d.connection_id
     where d.workspace_id = ${workspaceId} and d.enabled and d.stopped_at is null and d.deleted_at is null
       and c.state in ('active', 'failing') and c.access = 'read_write'
       and exists (select from write_back_rule r
             where r.workspace_id = d.workspace_id and r.destination_id = d.id and r.enabled)
     order by d.id`.execute(db);
  return rows.map(({ id }) => id);
}

/** What a delivery is to bring to a field. */
export interface WriteBackValue {
  organizationId: string;
  field: string;
  value: string | null;
}

/** Notes what is on its way, in the place of what was before. */
export async function noteWriteBack(
  trx: Trx,
  { workspaceId, destinationId }: { workspaceId: number; destinationId: number },
  values: readonly (WriteBackValue & { deliveryId: string })[],
  now: Date,
): Promise<void> {
  await sql`
    insert into write_back_value as kept
      (workspace_id, destination_id, organization_id, organization_field, value, delivery_id, set_at)
    select ${workspaceId}::int, ${destinationId}::int, organization_id, field, value, delivery_id,
           ${now.toISOString()}::timestamptz
      from unnest(${values.map((v) => v.organizationId)}::bigint[], ${values.map((v) => v.field)}::text[],
                  ${values.map((v) => v.value)}::text[], ${values.map((v) => v.deliveryId)}::bigint[])
        as fresh(organization_id, field, value, delivery_id)
    on conflict (workspace_id, destination_id, organization_id, organization_field) do update
       set value = excluded.value, delivery_id = excluded.delivery_id, set_at = excluded.set_at`.execute(trx);
}

/** The values that a delivery is still the last word on: what was overtaken by a newer one is left out. */
export async function valuesOfDelivery(
  db: Db,
  workspaceId: number,
  deliveryId: string,
): Promise<Map<string, string | null>> {
  const rows = await db
    .selectFrom("write_back_value")
    .select(["organization_field", "value"])
    .where("workspace_id", "=", workspaceId)
    .where("delivery_id", "=", deliveryId)
    .execute();
  return new Map(rows.map((row) => [row.organization_field, row.value]));
}
