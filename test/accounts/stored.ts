import type { Trx } from "#db/client.ts";

/** All accounts of a workspace as they are stored, by external id, with what stands beside their metrics. */
export async function readAll(trx: Trx, workspaceId: number) {
  const accounts = await trx
    .selectFrom("account as a")
    .leftJoin("account_metric as m", (join) =>
      join.onRef("m.workspace_id", "=", "a.workspace_id").onRef("m.account_id", "=", "a.id"),
    )
    .where("a.workspace_id", "=", workspaceId)
    .select([
      "a.id",
      "a.external_id",
      "a.name",
      "a.owner_email",
      "a.updated_at",
      "m.name as metric_name",
      "m.owner_email as metric_owner",
    ])
    .orderBy("a.external_id")
    .execute();
  const attributes = await trx
    .selectFrom("account_attribute")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .orderBy("key")
    .execute();
  return accounts.map((account) => ({
    externalId: account.external_id,
    name: account.name,
    owner: account.owner_email,
    attributes: Object.fromEntries(
      attributes.filter((row) => row.account_id === account.id).map((row) => [row.key, row.value]),
    ),
    updatedAt: account.updated_at,
    metricName: account.metric_name,
    metricOwner: account.metric_owner,
  }));
}
