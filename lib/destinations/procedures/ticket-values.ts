import type { Wanted } from "#lib/destinations/procedures/changes.ts";
import { recordOf, textOf } from "#lib/destinations/procedures/command-fields.ts";
import { definitionsOf } from "#lib/destinations/procedures/field-definitions.ts";
import { convert, type FieldDefinition, isPlain } from "#lib/destinations/procedures/field-values.ts";
import { findAll, idIn, isId, isSameText, wireId } from "#lib/destinations/procedures/rows.ts";
import { fail, hold, type Task } from "#lib/destinations/procedures/task.ts";

/** The custom field of a ticket, by its id. */
export interface TicketField {
  id: string;
  type: string;
  value: unknown;
}

/** The fields that creating and updating a ticket have in common. Words that Zendesk does not know are its to refuse. */
export async function ticketValuesOf(task: Task): Promise<Wanted[]> {
  const { command } = task;
  const subject = textOf(command, "subject");
  const words = ["priority", "status", "type"].map((field) => ({
    field,
    value: textOf(command, field)?.toLowerCase(),
  }));
  const group = textOf(command, "group_id");
  const assignee = textOf(command, "assignee_id");
  return [
    ...(subject === null ? [] : [{ field: "subject", value: subject }]),
    ...words.filter(({ value }) => value !== undefined),
    ...(group === null ? [] : [{ field: "group_id", value: wireId(await groupId(task, group)) }]),
    ...(assignee === null ? [] : [{ field: "assignee_id", value: wireId(assignee) }]),
  ];
}

/** A comment with its visibility, which Zendesk would else take from the ticket or the account. */
export function commentOf({ command }: Pick<Task, "command">): { body: string; public: boolean } | null {
  const body = textOf(command, "comment");
  return body === null ? null : { body, public: command.fields.public === true || command.fields.public === "true" };
}

/** By id, or by the exact title. What no field takes is left out with a note. */
export async function ticketFieldsOf(task: Task): Promise<TicketField[]> {
  const given = Object.entries(recordOf(task.command, "custom_fields")).filter(([, value]) => value !== undefined);
  if (given.length === 0) return [];
  const definitions = await definitionsOf(task, "ticket");
  return given.flatMap(([name, value]) => {
    const found = definitions.filter(({ key, title }) => key === name || isSameText(title, name));
    const [definition, ...others] = found.some(({ key }) => key === name)
      ? found.filter(({ key }) => key === name)
      : found;
    const why = !definition
      ? "Zendesk has no ticket field of this id or title"
      : others.length > 0
        ? `several ticket fields have this title (${found.map(({ key }) => key).join(", ")}): name it by its id`
        : null;
    if (!definition || why !== null) return noted(task, name, why ?? "");
    return valueFor(task, definition, name, value);
  });
}

function valueFor(task: Task, definition: FieldDefinition, name: string, value: unknown): TicketField[] {
  if (!definition.active) return noted(task, name, "the ticket field is switched off in Zendesk");
  if (!isPlain(value)) return noted(task, name, "it is an object, and a field takes one value");
  const converted = convert(definition, value);
  if ("refused" in converted)
    return noted(task, name, `the field is of type ${definition.type}, and the value ${converted.refused}`);
  if (converted.leftOut)
    task.notes.push(`Of ${name}, ${converted.leftOut} was left out: the field has no such option.`);
  return [{ id: definition.key, type: definition.type, value: converted.value }];
}

function noted(task: Task, name: string, why: string): [] {
  task.notes.push(`The ticket field ${name} was left out: ${why}.`);
  return [];
}

async function groupId(task: Task, group: string): Promise<string> {
  if (isId(group)) return group;
  const groups = (await findAll(task, "list groups", "/api/v2/groups", "groups")) ?? [];
  const [found, ...others] = groups.filter((row) => row.deleted !== true && isSameText(row.name, group));
  if (others.length > 0) {
    hold(
      "ambiguous_group",
      `Zendesk has several groups named ${group}: ${[found ?? {}, ...others].map((row) => idIn(row)).join(", ")}.`,
      "Send the group's id, or give one of the groups another name in Zendesk; then approve this to look again.",
    );
  }
  return (
    (found && idIn(found)) ??
    fail(
      "group_not_found",
      `Zendesk has no group named ${group}.`,
      "Send the exact name of a group, or its id; then replay this.",
    )
  );
}
