import { inWorkspace } from "#db/client.ts";
import { bodyOf, changesOf, intentOf, type Wanted } from "#lib/destinations/procedures/changes.ts";
import { textOf } from "#lib/destinations/procedures/command-fields.ts";
import { definitionsOf } from "#lib/destinations/procedures/field-definitions.ts";
import { convert } from "#lib/destinations/procedures/field-values.ts";
import { findRow } from "#lib/destinations/procedures/rows.ts";
import { fail, procedure, type Task } from "#lib/destinations/procedures/task.ts";
import { valuesOfDelivery } from "#lib/destinations/store/write-back.ts";

const record = "organization_fields";
/** Where a person defines them in Zendesk. */
export const organizationFieldsPlace = "Admin Center → People → Configuration → Organization fields";

/** Writes account numbers to the fields of an organization, as far as they differ. Nothing else of it is touched. */
export const writeBack = procedure(async (task) => {
  const id = textOf(task.command, "id") ?? "";
  const wanted = await wantedOf(task);
  if (wanted.length === 0) return;
  const organization = await findRow(task, "read organization", `/api/v2/organizations/${id}`, "organization");
  if (!organization) {
    return fail(
      "organization_gone",
      `Zendesk has no organization ${id} any more.`,
      "Nothing to do if it was deleted on purpose; its account has one organization less after the next sync.",
    );
  }
  task.result = { kind: "organization", id };
  const changes = changesOf(organization, wanted);
  if (changes.length === 0) return;
  const name = String(organization.name ?? id);
  await task.zendesk.write(
    "write fields",
    "PUT",
    `/api/v2/organizations/${id}`,
    { organization: bodyOf(changes) },
    {
      endpoint: "organization_update",
      target: id,
      expect: "organization",
      intent: intentOf("change", `organization ${name}`, id, changes),
      supposed: { organization: { ...organization, ...bodyOf(changes) } },
    },
  );
});

/** The values that this delivery is still the last word on, in the form that their fields take. */
async function wantedOf(task: Task): Promise<Wanted[]> {
  const { workspaceId } = task.scope;
  const values = await inWorkspace(task.db, workspaceId, (trx) => valuesOfDelivery(trx, workspaceId, task.delivery.id));
  const prefix = `${record}.`;
  const asked = Object.keys(task.command.fields).flatMap((name) =>
    name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  );
  if (asked.some((field) => !values.has(field)))
    task.notes.push("Newer numbers of this organization are on their way: those that they replace were not written.");
  if (values.size === 0) return [];
  const definitions = await definitionsOf(task, "organization");
  return [...values].map(([field, value]) => {
    const definition = definitions.find(({ key }) => key === field);
    if (!definition) return missingField(field);
    if (!definition.active) return inactiveField(field);
    const converted = convert(definition, value);
    if ("refused" in converted) return wrongType(field, definition.type, value, converted.refused);
    return { field: `${record}.${field}`, value: converted.value, type: definition.type };
  });
}

function missingField(field: string): never {
  return fail(
    "missing_field",
    `Zendesk has no organization field with the key “${field}”.`,
    `Create it in Zendesk (${organizationFieldsPlace}) with the key ${field}, or choose another field in the destination's write-back; then replay this.`,
  );
}

function inactiveField(field: string): never {
  return fail(
    "inactive_field",
    `The organization field “${field}” is switched off in Zendesk.`,
    `Activate it in Zendesk (${organizationFieldsPlace}), or choose another field in the destination's write-back; then replay this.`,
  );
}

function wrongType(field: string, type: string, value: string | null, why: string): never {
  return fail(
    "field_type",
    `The organization field “${field}” is of the type ${type}, and “${value}” ${why}.`,
    "Take a field that fits: a decimal for a score, an integer for a count, a text for names; then replay this.",
  );
}
