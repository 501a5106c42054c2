import type { FieldOwner } from "../world/definitions.ts";
import type { FieldDefinition } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { type Complaints, isGiven } from "./given.ts";

/** Values of custom fields as the account stores them, and the tags that come and go with them. */
export interface CustomValues {
  /** By key; ticket fields by id. */
  values: Record<string, unknown>;
  addedTags: string[];
  removedTags: string[];
}

/** `user_fields` and `organization_fields`, by key. Keys that no field has are ignored without a word. */
export function valuesByKey(world: World, owner: FieldOwner, given: unknown, complaints: Complaints): CustomValues {
  const fields = new Map(Array.from(world.definitions.fields[owner].values(), (field) => [field.key, field]));
  const pairs = isGiven(given) ? Object.entries(given) : [];
  const known = pairs.flatMap(([key, value]): [string, FieldDefinition, unknown][] => {
    const field = fields.get(key);
    return field === undefined ? [] : [[key, field, value]];
  });
  return collect(world, known, complaints);
}

/** `custom_fields` of a ticket: `[{id, value}]`. */
export function valuesById(world: World, given: unknown, complaints: Complaints): CustomValues {
  const list = Array.isArray(given) ? given.filter(isGiven) : [];
  const known = list.flatMap(({ id, value }): [string, FieldDefinition, unknown][] => {
    const field = world.definitions.fields.ticket.get(String(id));
    return field === undefined || field.system ? [] : [[String(id), field, value]];
  });
  return collect(world, known, complaints);
}

function collect(world: World, known: [string, FieldDefinition, unknown][], complaints: Complaints): CustomValues {
  const read: CustomValues = { values: {}, addedTags: [], removedTags: [] };
  for (const [key, field, given] of known) {
    const value = stored(world, field, given);
    if (value === undefined) {
      complaints.add(key, `${field.title}: ${JSON.stringify(given)} is not valid`, "InvalidValue");
      continue;
    }
    read.values[key] = value;
    const options = field.options.map((option) => option.value);
    const chosen = options.filter((option) => [value].flat().includes(option));
    read.addedTags.push(...chosen);
    read.removedTags.push(...options.filter((option) => !chosen.includes(option)));
  }
  return read;
}

/** The value as a field of this type keeps it; undefined where it takes no such value. */
function stored(world: World, field: FieldDefinition, value: unknown): unknown {
  if (value === null || value === "") return field.type === "checkbox" ? false : null;
  if (field.type === "multiselect") return chosenOf(field, value);
  if (typeof value === "object") return undefined;
  const text = String(value);
  switch (field.type) {
    case "checkbox":
      return { true: true, false: false, 1: true, 0: false }[text.toLowerCase()];
    case "integer":
      return /^-?\d+$/.test(text) ? Number(text) : undefined;
    case "decimal":
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
    case "date":
      return dateOf(world, text);
    case "dropdown":
    case "tagger":
      return field.options.some((option) => option.value === text) ? text : undefined;
    default:
      return text;
  }
}

function chosenOf(field: FieldDefinition, value: unknown): string[] | undefined {
  const list = [value].flat().map(String);
  return list.every((one) => field.options.some((option) => option.value === one)) ? list : undefined;
}

function dateOf(world: World, text: string): string | undefined {
  const day = /^\d{4}-\d{2}-\d{2}(?=$|T)/.exec(text)?.[0];
  if (day === undefined || Number.isNaN(Date.parse(text)) || !new Date(day).toISOString().startsWith(day)) {
    return undefined;
  }
  return world.settings.dateFields === "instant" ? `${day}T00:00:00+00:00` : day;
}

/** The tags of a row after its fields were written. */
export function tagsAfter(tags: readonly string[], { addedTags, removedTags }: CustomValues): string[] {
  return [...new Set([...tags.filter((tag) => !removedTags.includes(tag)), ...addedTags])];
}
