import { findRow, findRows, idIn, isId, isSameText } from "#lib/destinations/procedures/rows.ts";
import { fail, hold, type Task } from "#lib/destinations/procedures/task.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** The organization with this id in Zendesk, or null. */
export async function organizationById(task: Task, id: string): Promise<Wire | null> {
  return isId(id) ? findRow(task, "find organization by id", `/api/v2/organizations/${id}`, "organization") : null;
}

/** The organization with this external id, compared as Zendesk does, or null. Never one by its name. */
export async function organizationByExternalId(task: Task, externalId: string): Promise<Wire | null> {
  // The list knows at once what was created; the search, which may be late, also takes an id with a comma in it.
  const listed = externalId.includes(",")
    ? []
    : await withExternalId(task, externalId, "/api/v2/organizations/show_many", { external_ids: externalId });
  const search = () => withExternalId(task, externalId, "/api/v2/organizations/search", { external_id: externalId });
  const found = listed.length > 0 ? listed : await search();
  return found.length > 1 ? ambiguous(externalId, found) : (found[0] ?? null);
}

async function withExternalId(
  task: Task,
  externalId: string,
  path: string,
  query: Record<string, string>,
): Promise<Wire[]> {
  const rows = await findRows(task, "find organization by external id", path, "organizations", query);
  return rows.filter((row) => isSameText(row.external_id, externalId));
}

export async function organizationByName(task: Task, name: string): Promise<Wire | null> {
  const path = "/api/v2/organizations/search";
  const rows = await findRows(task, "find organization by name", path, "organizations", { name });
  return rows.find((row) => isSameText(row.name, name)) ?? null;
}

/**
 * The organization that an event refers to, by its id in Zendesk or by the sender's own: an id that is both is held. None is a
 * dead letter, which a later group call of the same organization takes up again (R-25).
 */
export async function requireOrganization(task: Task, reference: string): Promise<Wire> {
  const byId = await organizationById(task, reference);
  const byExternalId = await organizationByExternalId(task, reference);
  if (byId && byExternalId && idIn(byId) !== idIn(byExternalId)) return ambiguous(reference, [byId, byExternalId]);
  return (
    byId ??
    byExternalId ??
    fail(
      "organization_not_found",
      `Zendesk has no organization with the id or the external id ${reference}.`,
      "Send a group call with this groupId, which takes this up again by itself within the hour, or the id that Zendesk gave the organization; then replay this.",
    )
  );
}

export function describeOrganization(row: Wire): string {
  const externalId = typeof row.external_id === "string" && row.external_id !== "" ? row.external_id : null;
  return `${String(row.name ?? "organization")} (${idIn(row)}, ${externalId ? `external id ${externalId}` : "without an external id"})`;
}

function ambiguous(reference: string, rows: Wire[]): never {
  return hold(
    "ambiguous_organization",
    `${reference} may be any of these organizations: ${rows.map(describeOrganization).join("; ")}. Nothing was written.`,
    "Give the organizations external ids that are no other's id in Zendesk, then approve this to look again; or discard it.",
  );
}
