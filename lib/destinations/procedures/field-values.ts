import { cleanText } from "#lib/zendesk/text.ts";

/** A custom field as Zendesk defines it. `key`: of a ticket field its id. */
export interface FieldDefinition {
  key: string;
  title: string;
  type: string;
  active: boolean;
  options: { name: string; value: string }[];
}

/** `leftOut`: parts of the value that the field does not take. */
export type Converted = { value: unknown; leftOut?: string } | { refused: string };

/** Whether Zendesk would take it for an e-mail address. */
export const isEmail = (value: unknown) =>
  typeof value === "string" &&
  value.length <= 254 &&
  /^[^\s@"<>(),;:\\[\]]+@[^\s@"<>(),;:\\[\]]+\.[^\s@.]+$/.test(value);

/** A field by the name of a trait: as given, in snake_case, in camelCase; keys do not differ by case alone (C-39). */
export function fieldNamed<Field extends { key: string }>(
  definitions: readonly Field[],
  name: string,
): Field | undefined {
  const names = [name, snakeCase(name), camelCase(name)];
  for (const spelling of names) {
    const found = definitions.find(({ key }) => key === spelling);
    if (found) return found;
  }
  const lower = names.map((one) => one.toLowerCase());
  return definitions.find(({ key }) => lower.includes(key.toLowerCase()));
}

/**
 * Which of these traits fills each field, by the field's key. Of several that come down to one, those of an earlier group go
 * before those of a later one; in a group the one that is called as the field is, else the first.
 */
export function fillersOf<Field extends { key: string }>(
  definitions: readonly Field[],
  ...groups: (readonly string[])[]
): Map<string, string> {
  const fillers = new Map<string, string>();
  for (const names of groups) {
    const taken = new Set(fillers.keys());
    for (const name of names) {
      const key = keyOf(definitions, name);
      if (!fillers.has(key) || (name === key && !taken.has(key))) fillers.set(key, name);
    }
  }
  return fillers;
}

/** The key of the field to which a trait goes: one that there is, else the one that would be made. */
export function keyOf<Field extends { key: string }>(definitions: readonly Field[], name: string): string {
  return fieldNamed(definitions, name)?.key ?? snakeCase(name);
}

const longestKey = 100;
/** Letters that are none with a mark on it. */
const spellings: Record<string, string> = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ı: "i", þ: "th" };

/**
 * A key that Zendesk takes: letters, digits and underscores, not digits alone. Two names whose letters it cannot spell, or not
 * all of them, are told apart by a digest: none of them is the field of another.
 */
export function snakeCase(name: string): string {
  const spelled = name
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[ßæœøłđıþ]/g, (letter) => spellings[letter] ?? "");
  const words = spelled.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  const isSpelled = words !== "" && words.length <= longestKey && !/[^\p{ASCII}\p{P}\p{Z}\p{C}]/u.test(spelled);
  if (isSpelled) return /^\d+$/.test(words) ? `field_${words}` : words;
  return `${words.slice(0, longestKey - 20) || "field"}_${digestOf(name.normalize("NFC"))}`;
}

/** FNV-1a, of 32 bits: this file is the browser's as well. */
function digestOf(text: string): string {
  let digest = 0x811c9dc5;
  for (const unit of text.split("")) digest = Math.imul(digest ^ unit.charCodeAt(0), 0x01000193) >>> 0;
  return digest.toString(36).padStart(7, "0");
}

function camelCase(name: string): string {
  return snakeCase(name).replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** "plan_name" as a person would write it: "Plan name". */
export function titleOf(name: string): string {
  const isSpelled = /^\p{ASCII}{0,100}$/u.test(name) && /[a-z0-9]/i.test(name);
  const words = isSpelled
    ? snakeCase(name).replaceAll("_", " ")
    : cleanText(name.trim(), longestKey) || snakeCase(name);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The type of a new field that a value fits: dates, numbers and check boxes are recognised. */
export function typeFor(value: unknown): "checkbox" | "integer" | "decimal" | "date" | "text" | "textarea" {
  if (typeof value === "boolean") return "checkbox";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "integer" : "decimal";
  if (typeof value === "string" && dayOf(value) !== null) return "date";
  return typeof value === "string" && value.length > 255 ? "textarea" : "text";
}

/** Whether a value can stand in a field at all; objects, and lists of them, cannot. */
export function isPlain(value: unknown): boolean {
  const isScalar = (one: unknown) => ["string", "number", "boolean"].includes(typeof one);
  return value === null || isScalar(value) || (Array.isArray(value) && value.every(isScalar));
}

/**
 * Why a value of an event, which stands at `path`, goes to no field; said after its name. RudderStack's own code drops these
 * without a word.
 */
export function leftOutAsNested(path: string, value: unknown): string {
  const [key] = Array.isArray(value) ? [] : Object.keys(value as object).filter((one) => /^\w{1,40}$/.test(one));
  const part = key === undefined ? `${path}[0]` : `${path}.${key}`;
  return `was left out: it is an object, and a field of Zendesk's takes one value. Map its parts one by one, as ${part}`;
}

/** A value as a field of this type takes it. Null empties the field. Patterns (`regexp`) are Zendesk's to judge. */
export function convert({ type, options }: Pick<FieldDefinition, "type" | "options">, value: unknown): Converted {
  if (value === null || value === "")
    return { value: type === "checkbox" ? false : type === "multiselect" ? [] : null };
  switch (type) {
    case "checkbox":
      return orRefused(boolean(value), "is neither true nor false");
    case "integer":
      return orRefused(integer(value), "is no whole number");
    case "decimal":
      return orRefused(number(value), "is no number");
    case "date":
      return orRefused(typeof value === "number" ? dayOfNumber(value) : dayOf(String(value)), "is no date");
    case "dropdown":
    case "tagger":
      return orRefused(choiceOf(options)(value), `is none of its options (${optionNames(options)})`);
    case "multiselect":
      return several(options, value);
    case "lookup":
      return orRefused(integer(value), "is no id");
    default:
      return { value: cleanText(Array.isArray(value) ? value.join(", ") : String(value)) };
  }
}

/** Whether Zendesk has the value already; it may give numbers as text, and a date as its midnight. */
export function isSameValue(type: string, is: unknown, wanted: unknown): boolean {
  if (isEmpty(is) || isEmpty(wanted)) return isEmpty(is) && isEmpty(wanted);
  switch (type) {
    case "integer":
    case "decimal":
    case "lookup":
      return Number(is) === Number(wanted);
    case "date":
      return String(is).slice(0, 10) === String(wanted).slice(0, 10);
    case "multiselect":
      return [is].flat().map(String).sort().join("\n") === [wanted].flat().map(String).sort().join("\n");
    default:
      return String(is) === String(wanted);
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || value === false || [value].flat().length === 0;
}

function orRefused(value: unknown, why: string): Converted {
  return value === null ? { refused: why } : { value };
}

function boolean(value: unknown): boolean | null {
  if (typeof value === "boolean") return value;
  const word = String(value).trim().toLowerCase();
  if (["true", "yes", "on", "1"].includes(word)) return true;
  return ["false", "no", "off", "0"].includes(word) ? false : null;
}

function integer(value: unknown): number | string | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : null;
  const text = String(value).trim();
  if (!/^-?\d{1,18}$/.test(text)) return null;
  return Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

/** No number that means anything is written with more characters. */
const longestNumber = 40;

function number(value: unknown): number | null {
  const text = String(value).trim();
  if (typeof value === "boolean" || text.length > longestNumber) return null;
  if (!/^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  return Number.isFinite(Number(text)) ? Number(text) : null;
}

/** The calendar day of a date or an instant, as it is written: `2026-03-02`. */
function dayOf(text: string): string | null {
  const [, day = ""] =
    /^(\d{4}-\d{2}-\d{2})([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(text) ?? [];
  const instant = new Date(`${day}T00:00:00Z`);
  // 30 February would pass as 2 March.
  return Number.isNaN(instant.getTime()) || !instant.toISOString().startsWith(day) ? null : day;
}

/** Seconds or milliseconds since 1970, told apart by their size. */
function dayOfNumber(value: number): string | null {
  const milliseconds = value >= 1e11 ? value : value * 1000;
  return value >= 1e8 && milliseconds < 1e14 ? new Date(milliseconds).toISOString().slice(0, 10) : null;
}

function several(options: FieldDefinition["options"], value: unknown): Converted {
  const given: unknown[] = Array.isArray(value) ? value : String(value).split(/[,;]/);
  const items = [...new Set(given.map((item) => String(item).trim()))].filter((item) => item !== "");
  const chosen = choiceOf(options);
  const found = items.map((item) => ({ item, option: chosen(item) }));
  const unknown = found.filter(({ option }) => option === null).map(({ item }) => item);
  if (unknown.length === items.length) return { refused: `is none of its options (${optionNames(options)})` };
  const taken = [...new Set(found.flatMap(({ option }) => option ?? []))];
  return { value: taken, ...(unknown.length > 0 && { leftOut: unknown.join(", ") }) };
}

/** By the option's value, else by its name, which people may write in any case. */
function choiceOf(options: FieldDefinition["options"]): (value: unknown) => string | null {
  const values = new Set(options.map(({ value }) => value));
  const caseless = new Map<string, string>();
  for (const { name, value } of options.toReversed()) {
    for (const text of [name, value]) caseless.set(text.toLowerCase(), value);
  }
  return (given) => {
    const text = String(given).trim();
    return values.has(text) ? text : (caseless.get(text.toLowerCase()) ?? null);
  };
}

function optionNames(options: FieldDefinition["options"]): string {
  const names = options.slice(0, 10).map(({ value }) => value);
  return [...names, ...(options.length > names.length ? ["…"] : [])].join(", ");
}
