import { recordOf } from "#lib/destinations/procedures/command-fields.ts";
import { definitionsOf } from "#lib/destinations/procedures/field-definitions.ts";
import {
  convert,
  type FieldDefinition,
  fieldNamed,
  fillersOf,
  isPlain,
  keyOf,
  leftOutAsNested,
  snakeCase,
  titleOf,
  typeFor,
} from "#lib/destinations/procedures/field-values.ts";
import { isTaken } from "#lib/destinations/procedures/rows.ts";
import { hold, isApproved, type Task } from "#lib/destinations/procedures/task.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";

type Owner = "user" | "organization";
/** A program that names its traits by their values would fill Zendesk with fields: more at once are a person's to allow. */
const mostCreated = 20;

/** A value for a custom field, as the field takes it. */
export interface FieldValue {
  type: string;
  value: unknown;
}

/**
 * The custom fields that a command fills, by their keys: those that a rule names, and traits that no rule names. What no field
 * takes is left out with a note; traits without a field are discarded, asked about or given one, as the settings say (X-2, X-3).
 * `ifDefined` goes to fields that exist, and is noted where none does. Of several that come down to one field one fills it.
 */
export async function customFieldsOf(
  task: Task,
  owner: Owner,
  ifDefined: Record<string, unknown> = {},
): Promise<Map<string, FieldValue>> {
  const ruled = recordOf(task.command, `${owner}_fields`);
  const given = { ...ifDefined, ...task.command.unmapped, ...ruled };
  const traits = Object.entries(given).filter(([, value]) => value !== undefined);
  const plain = traits.filter(([, value]) => isPlain(value));
  const nested = traits.filter(([, value]) => !isPlain(value));
  task.notes.push(...nested.map(([name, value]) => `${name} ${leftOutAsNested(`$.traits.${name}`, value)}.`));
  const values = new Map<string, FieldValue>();
  if (plain.length === 0) return values;
  const definitions = await definitionsOf(task, owner);
  const groups = [ruled, task.command.unmapped, ifDefined].map((group) => plainIn(group));
  const fillers = fillersOf(definitions, ...groups);
  const unknown: [string, unknown][] = [];
  for (const [name, value] of plain) {
    const definition = fieldNamed(definitions, name);
    const key = keyOf(definitions, name);
    const filler = fillers.get(key);
    if (filler !== name) task.notes.push(`${name} was left out: for the ${owner} field ${key}, ${filler} counts.`);
    else if (definition) put(task, values, owner, definition, name, value);
    else if (Object.hasOwn(ifDefined, name)) noteUndefined(task, owner, name);
    else if (value !== null) unknown.push([name, value]);
  }
  if (unknown.length > 0) await placeUnknown(task, owner, unknown, values);
  return values;
}

const plainIn = (traits: Record<string, unknown>) =>
  Object.keys(traits).filter((name) => traits[name] !== undefined && isPlain(traits[name]));

function put(
  task: Task,
  values: Map<string, FieldValue>,
  owner: Owner,
  definition: FieldDefinition,
  name: string,
  value: unknown,
): void {
  const { key, type, active } = definition;
  // Two whose fields were to be made may come to one after all, where Zendesk refused to make one of them.
  if (values.has(key)) {
    task.notes.push(`${name} was left out: the ${owner} field ${key} is filled already.`);
    return;
  }
  if (!active) {
    task.notes.push(`${name} was left out: the ${owner} field ${key} is switched off in Zendesk.`);
    return;
  }
  const converted = convert(definition, value);
  if ("refused" in converted) {
    task.notes.push(
      `${name} was left out: the ${owner} field ${key} is of type ${type}, and the value ${converted.refused}.`,
    );
    return;
  }
  if (converted.leftOut)
    task.notes.push(`Of ${name}, ${converted.leftOut} was left out: the field ${key} has no such option.`);
  if (key !== name) task.notes.push(`${name} is written to the ${owner} field ${key}.`);
  values.set(key, { type, value: converted.value });
}

function noteUndefined(task: Task, owner: Owner, name: string): void {
  task.notes.push(`${name} was left out: define a ${owner} field with the key ${name} in Zendesk to keep it.`);
}

async function placeUnknown(
  task: Task,
  owner: Owner,
  unknown: [string, unknown][],
  values: Map<string, FieldValue>,
): Promise<void> {
  const names = unknown.map(([name]) => name).join(", ");
  const policy = owner === "user" ? task.settings.unknownUserTraits : task.settings.unknownOrganizationTraits;
  if (policy === "discard") {
    task.notes.push(`Discarded, since Zendesk has no ${owner} field for it: ${names}.`);
    return;
  }
  const isTooMany = unknown.length > mostCreated;
  if ((policy === "ask" || isTooMany) && !isApproved(task, "unknown_traits")) {
    const would = unknown.map(([name, value]) => `${snakeCase(name)} (${typeFor(value)})`).join(", ");
    const many = isTooMany ? ` At most ${mostCreated} fields are created at once without a person's word.` : "";
    hold(
      "unknown_traits",
      `Zendesk has no ${owner} field for ${names}.${many}`,
      `Approve to have the ${owner} fields ${would} created and filled; or map the traits to fields that exist, or set the destination to discard unknown traits.`,
    );
  }
  await createFields(task, owner, unknown, values);
}

/** Creates and fills the fields. Two deliveries may want the same one: the second finds that of the first. */
async function createFields(
  task: Task,
  owner: Owner,
  unknown: readonly [string, unknown][],
  values: Map<string, FieldValue>,
): Promise<void> {
  const created: FieldDefinition[] = [];
  const refused = new Map<string, ZendeskError>();
  for (const [name, value] of unknown) {
    const field = await createField(task, owner, name, value);
    if (field instanceof ZendeskError) refused.set(name, field);
    else created.push(field);
  }
  // Once for all of them; a dry run has created none.
  const definitions = task.isDryRun ? [] : await definitionsOf(task, owner, { anew: true });
  for (const [name, value] of unknown) {
    const definition = fieldNamed(created, name) ?? fieldNamed(definitions, name);
    if (definition) put(task, values, owner, definition, name, value);
    else noteRefused(task, owner, name, refused.get(name));
  }
}

function noteRefused(task: Task, owner: Owner, name: string, error: ZendeskError | undefined): void {
  const said = error?.message ?? "it does not show it.";
  const why = isTaken(error) ? `the key ${snakeCase(name)} was used before and cannot be used again` : said;
  task.notes.push(`${name} was left out: Zendesk does not create a ${owner} field for it: ${why}`);
}

/** Creates the field in the form that Zendesk takes; gives the refusal where Zendesk does not have it so. */
async function createField(
  task: Task,
  owner: Owner,
  name: string,
  value: unknown,
): Promise<FieldDefinition | ZendeskError> {
  const kind = `${owner}_field`;
  const field = { key: snakeCase(name), title: titleOf(name), type: typeFor(value) };
  const intent = {
    verb: "create" as const,
    what: `${owner} field ${field.key} (${field.type})`,
    zendeskId: null,
    changes: [],
  };
  try {
    const body = { [kind]: { ...field, description: `From the trait ${name}` } };
    await task.zendesk.write(`create ${owner} field ${field.key}`, "POST", `/api/v2/${kind}s`, body, {
      expect: kind,
      intent,
      supposed: body,
    });
    task.notes.push(`Created the ${owner} field ${field.key} (${field.type}) for ${name}.`);
    return { ...field, active: true, options: [] };
  } catch (error) {
    if (!(error instanceof ZendeskError) || error.status !== 422) throw error;
    return error;
  }
}
