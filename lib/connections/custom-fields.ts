import type { Db } from "#db/client.ts";
import { pageOf, positionFrom } from "#lib/api/cursor.ts";
import { getConnection } from "#lib/connections/list.ts";
import type { CustomFieldList, FieldSubject } from "#lib/connections/shapes.ts";
import { readCustomFields, readFieldKeys } from "#lib/connections/store/custom-fields.ts";
import { customFieldsPage } from "#lib/zendesk/agent-pages.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Custom fields that are in use, as they were read last, by key. Throws `not_found`. */
export async function listCustomFields(
  db: Db,
  scope: Scope,
  page: { subject: FieldSubject; limit: number; cursor?: string | undefined },
  zendeskUrl: string,
): Promise<CustomFieldList> {
  const { subdomain } = await getConnection(db, scope);
  const [after] = positionFrom(page.cursor, ["text"]) ?? [null];
  const fields = await readCustomFields(db, scope, page.subject, { limit: page.limit + 1, after });
  const definedAt = customFieldsPage(zendeskUrl, subdomain, page.subject);
  return {
    ...pageOf(
      fields,
      page.limit,
      (field) => field,
      ({ key }) => [key],
    ),
    definedAt,
  };
}

/** Keys of the custom fields that Zendesk showed as active when it was read last; null where it was never read, or showed none. */
export async function activeFieldKeys(
  db: Db,
  scope: Scope,
  subject: FieldSubject,
): Promise<ReadonlySet<string> | null> {
  const fields = await readFieldKeys(db, scope, subject);
  return fields.length === 0 ? null : new Set(fields.flatMap(({ key, isActive }) => (isActive ? [key] : [])));
}
