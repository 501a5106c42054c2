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

/** Zendesk shows it, and as active. */
const isActive = sql<boolean>`deleted_at is null and active is not false`;

const fieldsOf = (db: Db, { workspaceId, connectionId }: Scope, subject: FieldSubject) =>
  db
    .selectFrom("field_definition")
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "=", connectionId)
    .where("subject", "=", subject);

/** Keys of every field of that kind that was ever read, each with whether it is active. */
export function readFieldKeys(
  db: Db,
  scope: Scope,
  subject: FieldSubject,
): Promise<{ key: string; isActive: boolean }[]> {
  return fieldsOf(db, scope, subject)
    .select([key.as("key"), isActive.as("isActive")])
    .execute();
}

/** Those that are active, in the order of their keys. */
export function readCustomFields(
  db: Db,
  scope: Scope,
  subject: FieldSubject,
  { limit, after }: { limit: number; after: string | null },
): Promise<CustomField[]> {
  let fields = fieldsOf(db, scope, subject)
    .select([key.as("key"), "title", "type"])
    .where(isActive);
  if (subject === "ticket") fields = fields.where("type", "in", customTypes);
  if (after !== null) fields = fields.where(key, ">", after);
  return fields.orderBy(key).limit(limit).execute();
}
