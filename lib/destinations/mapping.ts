import { actionDefinitions, type FieldKind, kindOf } from "#lib/destinations/actions.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import { namesOf, type Path, readPaths, valueAt } from "#lib/destinations/paths.ts";
import { asTags } from "#lib/destinations/procedures/command-fields.ts";
import { cleanDomains } from "#lib/destinations/procedures/domain-names.ts";
import { zendeskZone } from "#lib/destinations/procedures/time-zones.ts";
import type { Refusal } from "#lib/destinations/refusals.ts";
import type { ActionKey, MappingRule } from "#lib/destinations/shapes.ts";
import type { TemplateTime } from "#lib/destinations/template-time.ts";
import { renderTemplate, templateReads } from "#lib/destinations/templates.ts";

export interface Problem {
  field: string;
  message: string;
}

/**
 * The command that an action's rules make of an event, each value as it is sent. Of a rule the first of path, template, value
 * and default counts that gives something; one that gives nothing leaves its field out. What cannot be sent is left out with
 * a problem, which is all of a rule that fails; a template that finds no `time` left fails. `refusal`: an id that may name
 * somebody else than was meant, or a removal from something else; without it, the command would be about whomever its other
 * ids name, or do the opposite.
 */
export function mapEvent(
  action: ActionKey,
  rules: readonly MappingRule[],
  event: Readonly<Record<string, unknown>>,
  time: TemplateTime,
): { command: Command; problems: Problem[]; refusal: Refusal | null } {
  const fields: [string, unknown][] = [];
  const problems: Problem[] = [];
  let refusal: Refusal | null = null;
  for (const rule of rules) {
    try {
      const tell = (message: string) => problems.push({ field: rule.to, message });
      fields.push(...fieldsOf(action, rule, pathsOf(action, rule, rules, event), event, time, tell));
    } catch (error) {
      if (error instanceof Unclear)
        refusal ??= { code: error.code, reason: `${rule.to} ${error.message}`, fix: error.fix };
      else problems.push({ field: rule.to, message: (error as Error).message });
    }
  }
  const unmapped = unmappedOf(action, rules, event, time);
  return { command: { fields: Object.fromEntries(fields), unmapped }, problems, refusal };
}

/**
 * What is wrong with a mapping, each with its dotted place under `path`: none for one that can be saved. A template that
 * cannot be read in the `time` that is left is wrong as well.
 */
export function mappingProblems(
  action: ActionKey,
  rules: readonly MappingRule[],
  path: string,
  time: TemplateTime,
): { path: string; message: string }[] {
  const targets = rules.map(({ to }) => to);
  return rules.flatMap((rule, index) => {
    const at = `${path}.${index}`;
    const found: { path: string; message: string }[] = [];
    if (kindOf(action, rule.to) === null) found.push({ path: `${at}.to`, message: unknownField(action) });
    if (targets.indexOf(rule.to) !== index) found.push({ path: `${at}.to`, message: "is filled by an earlier rule" });
    const sources = [rule.from, rule.template, rule.value, rule.default];
    if (sources.every((source) => source === undefined))
      found.push({ path: at, message: "needs from, template, value or default" });
    if (rule.from !== undefined) found.push(...problemOf(() => readPaths(rule.from ?? ""), `${at}.from`));
    if (rule.template !== undefined)
      found.push(...problemOf(() => templateReads(rule.template ?? "", time), `${at}.template`));
    return found;
  });
}

function problemOf(read: () => unknown, path: string): { path: string; message: string }[] {
  try {
    read();
    return [];
  } catch (error) {
    return [{ path, message: (error as Error).message }];
  }
}

function unknownField(action: ActionKey): string {
  const { fields, records } = actionDefinitions[action];
  const names = [...fields.map(({ to }) => to), ...records.map((record) => `${record}.<key>`)];
  return `is no field of this action, which fills ${names.join(", ")}`;
}

/** A record of custom fields becomes one field for each of its keys. */
function fieldsOf(
  action: ActionKey,
  rule: MappingRule,
  paths: readonly Path[],
  event: Readonly<Record<string, unknown>>,
  time: TemplateTime,
  tell: (message: string) => void,
): [string, unknown][] {
  const kind = kindOf(action, rule.to);
  if (kind === null) throw new Error("is no field of this action");
  const value = convert(sourceOf(rule, kind, paths, event, time), kind, tell);
  if (value === undefined) return [];
  if (!actionDefinitions[action].records.includes(rule.to)) return [[rule.to, value]];
  return Object.entries(value as object).map(([key, own]) => [`${rule.to}.${key}`, own]);
}

/**
 * Where a rule looks: beside the value of the field that it belongs with, where that was taken; then beside the same value, or
 * none, in other places of the event. Throws Unclear where true stands beside another value.
 */
function pathsOf(
  action: ActionKey,
  { to, from }: MappingRule,
  rules: readonly MappingRule[],
  event: Readonly<Record<string, unknown>>,
): readonly Path[] {
  const paths = from === undefined ? [] : readPaths(from);
  const beside = actionDefinitions[action].fields.find((field) => field.to === to)?.beside;
  const partner = rules.find((rule) => rule.to === beside)?.from;
  const places = partner === undefined ? [] : readPaths(partner);
  const taken = places.find((place) => valueAt(event, [place]) !== undefined);
  if (taken === undefined) return paths;
  const isBesideTaken = (path: Path) => areBeside(path, taken);
  const others = places.filter((place) => {
    const value = valueAt(event, [place]);
    return value !== undefined && nameOf(value) !== nameOf(valueAt(event, [taken]));
  });
  for (const place of others) {
    const path = paths.find((one) => areBeside(one, place));
    if (path === undefined || !isTrue(valueAt(event, [path]))) continue;
    const [other, own] = [place, taken].map((one) => {
      const value = String(valueAt(event, [one])).slice(0, 100);
      return `“${value}” in $.${namesOf(one).slice(0, -1).join(".")}`;
    });
    throw new Unclear({
      code: "removal_elsewhere",
      reason: `is true of ${other}, and ${beside} was taken from another place: ${own}. Nothing was added or removed.`,
      fix: "Send each of the two in a call of its own, or take the one that is not meant out of the event.",
    });
  }
  const open = paths.filter((path) => !others.some((place) => areBeside(path, place)));
  return [...open.filter(isBesideTaken), ...open.filter((path) => !isBesideTaken(path))];
}

/** As Zendesk compares the ids of others: without regard to case. */
const nameOf = (value: unknown) => String(value).trim().toLowerCase();

const areBeside = (one: Path, other: Path) =>
  one.length === other.length && one.slice(0, -1).every((step, index) => step === other[index]);

function sourceOf(
  { template, value, default: otherwise }: MappingRule,
  kind: FieldKind,
  paths: readonly Path[],
  event: Readonly<Record<string, unknown>>,
  time: TemplateTime,
): unknown {
  const found = valueAt(event, paths);
  if (isSomething(found)) return found;
  const rendered = template === undefined ? undefined : renderTemplate(template, event, time);
  if (template !== undefined && kind === "id") {
    const read = templateReads(template, time).map((path) => valueAt(event, [path]));
    for (const part of read) requireExact(part);
  }
  return [rendered, value, otherwise].find(isSomething);
}

const isSomething = (value: unknown) =>
  value !== undefined && value !== null && !(typeof value === "string" && value.trim() === "");

/** Undefined where nothing is left of it; `tell` is told of what is not sent, or sent otherwise. */
function convert(value: unknown, kind: FieldKind, tell: (message: string) => void): unknown {
  const leaveOut = (why: string) => tell(`${why}: it was left out`);
  if (value === undefined || kind === "any") return value;
  switch (kind) {
    case "text":
      return textOf(value);
    case "id":
      return idOf(value);
    case "word":
      return textOf(value).toLowerCase();
    case "list":
      return listOf(value);
    case "tags":
      return asTags(typeof value === "string" ? value.split(/[\s,]+/) : listOf(value));
    case "domains": {
      const { domains, refused } = cleanDomains(listOf(value));
      for (const why of refused) leaveOut(why);
      return domains.length === 0 ? undefined : domains;
    }
    case "zone": {
      const found = zendeskZone(textOf(value));
      if ("refused" in found) {
        leaveOut(found.refused);
        return undefined;
      }
      if (found.note !== undefined) tell(found.note);
      return found.zone;
    }
    case "flag":
      return flagOf(value);
    case "record":
      return recordOf(value);
  }
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new Error(`takes a text, and the event has ${Array.isArray(value) ? "a list" : "an object"} there`);
}

/** The event does not say clearly whom or what is meant. */
class Unclear extends Error {
  readonly code: string;
  readonly fix: string;

  constructor({ code, reason, fix }: Refusal) {
    super(reason);
    this.code = code;
    this.fix = fix;
  }
}

/** JSON's whole numbers beyond 2^53 are rounded: such a one was not sent as it stands here. */
function requireExact(value: unknown): void {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return;
  throw new Unclear({
    code: "inexact_id",
    reason: `is the number ${value}, and no whole number that can be kept exactly: it may name somebody or something else than was meant.`,
    fix: "Send ids as text, in quotation marks, and send the call again: the number that was sent is not known any more.",
  });
}

function idOf(value: unknown): string {
  requireExact(value);
  return textOf(value);
}

const listOf = (value: unknown) => (Array.isArray(value) ? value : [value]).map(textOf);

const isTrue = (value: unknown) => ["true", "1", "yes"].includes(String(value).trim().toLowerCase());

function flagOf(value: unknown): boolean {
  const word = String(value).trim().toLowerCase();
  if (isTrue(value)) return true;
  if (["false", "0", "no"].includes(word)) return false;
  throw new Error(`takes true or false, and the event has “${word.slice(0, 50)}” there`);
}

/** Zendesk's own form of custom fields, `[{id, value}]`, is read as well. */
function recordOf(value: unknown): Record<string, unknown> {
  if (Array.isArray(value) && value.every((item) => item !== null && typeof item === "object" && "id" in item)) {
    return Object.fromEntries(
      value.map((item: { id: unknown; value?: unknown }) => [idOf(item.id), item.value ?? null]),
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error("takes an object, and the event has something else there");
}

/**
 * Traits that no rule reads; none where a template could not be read, which its field's problem tells. Of two places that
 * hold the same trait, the first counts.
 */
function unmappedOf(
  action: ActionKey,
  rules: readonly MappingRule[],
  event: Readonly<Record<string, unknown>>,
  time: TemplateTime,
): Record<string, unknown> {
  const { from, except } = actionDefinitions[action].candidates;
  if (from.length === 0) return {};
  let read: Set<string>;
  try {
    read = new Set([...except, ...rules.flatMap((rule) => traitsRead(rule, time))]);
  } catch {
    return {};
  }
  const rest = from.toReversed().flatMap((place) => {
    const traits = valueAt(event, readPaths(place));
    return typeof traits === "object" && !Array.isArray(traits) ? Object.entries(traits as object) : [];
  });
  return Object.fromEntries(rest.filter(([name, value]) => !read.has(name) && value !== undefined));
}

/** The names of the traits, of the call or of its context, that a rule's path or template reads. */
function traitsRead({ from, template }: MappingRule, time: TemplateTime): string[] {
  const paths = [
    ...(from === undefined ? [] : readPaths(from).map(namesOf)),
    ...(template === undefined ? [] : templateReads(template, time)),
  ];
  return paths.flatMap(([first, second, third]) => {
    const name = first === "traits" ? second : first === "context" && second === "traits" ? third : undefined;
    return name === undefined ? [] : [name];
  });
}
