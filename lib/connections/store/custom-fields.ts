import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { CustomField, FieldSubject } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

const key = sql<string>`coalesce(key, id::text)`;

/** Among a ticket's fields are some that every account has, such as its status; these are of their own (zendesk-api section 6.4). */
const customTypes = [
  ...["text", "textarea", "checkbox", "date", "integer", "decimal", "regexp", "dropdown", "tagger", "multiselect"],
  ...["lookup", "partialcreditcard"],
];

/** Keys of every field of that kind that was ever read, each with whether Zendesk shows it as active. */
export async function readFieldKeys(
  db: Db,
  { workspaceId, connectionId }: Scope,
  subject: FieldSubject,
): Promise<{ key: string; isActive: boolean }[]> {
  const rows = await db
    .selectFrom("field_definition")
    .select([key.as("key"), sql<boolean>`deleted_at is null and active is not false`.as("isActive")])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "=", connectionId)
    .where("subject", "=", subject)
    .execute();
  return rows;
}

/** Those that Zendesk shows as active, in the order of their keys. */
export async function readCustomFields(
  db: Db,
  { workspaceId, connectionId }: Scope,
  subject: FieldSubject,
  { limit, after }: { limit: number; after: string | null },
): Promise<CustomField[]> {
  let fields = db
    .selectFrom("field_definition")
    .select([key.as("key"), "title", "type"])
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "=", connectionId)
    .where("subject", "=", subject)
    .where("deleted_at", "is", null)
    .where("active", "is not", false);
  if (subject === "ticket") fields = fields.where("type", "in", customTypes);
  if (after !== null) fields = fields.where(key, ">", after);
  return fields.orderBy(key).limit(limit).execute();
}
