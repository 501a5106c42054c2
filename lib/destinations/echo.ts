import { asTags } from "#lib/destinations/procedures/command-fields.ts";
import { asDomain } from "#lib/destinations/procedures/domain-names.ts";
import { hasZone } from "#lib/destinations/procedures/time-zones.ts";
import { isObject } from "#lib/zendesk/answers.ts";

/*
 * A success is one only where Zendesk's answer holds what was sent (row 97), compared in the form in which Zendesk keeps it
 * (zendesk-api sections 4.1, 6.1, 6.2, 8.1): e-mails and external ids in any case, tags in lower case, domains in letters of the
 * web, a phone number with or without what stands before it abroad, a time zone by any of its names, a date as its midnight.
 * Of a list everything that was sent has to be there. What the account's own triggers may change within the same request,
 * and what it may not offer, is told and no failure.
 */

type Row = Record<string, unknown>;
/** `row`: all that was answered. */
type Same = (sent: unknown, answered: unknown, row: Row) => boolean;

interface Rule {
  fields: Readonly<Record<string, Same>>;
  /** Records of custom fields, or lists of them by their ids. */
  custom: readonly string[];
  /** Fields that are only told where they differ. */
  told: (method: string) => readonly string[];
}

const text: Same = (sent, answered) => plain(sent) === plain(answered);
const caseless: Same = (sent, answered) => plain(sent).toLowerCase() === plain(answered).toLowerCase();
/** All that was sent is there, each as `kept` makes it. */
const holding =
  (kept: (items: string[]) => string[]): Same =>
  (sent, answered) =>
    kept(items(sent)).every((item) => kept(items(answered)).includes(item));
const tags = holding(asTags);
const domains = holding((list) => list.map(asDomain));
const phone: Same = (sent, answered, row) => {
  const [shorter = "", longer = ""] = [digits(sent), digits(answered)].sort((a, b) => a.length - b.length);
  return shorter.length < shortestNumber ? text(sent, answered, row) : longer.includes(shorter);
};
const zone: Same = (sent, _answered, row) => hasZone(row, String(sent));
const language: Same = (sent, answered) => speech(sent) === speech(answered);

/** Fewer digits than this stand in many a number. */
const shortestNumber = 5;
const never = () => [];
const named = (...fields: string[]): Rule["fields"] => Object.fromEntries(fields.map((field) => [field, text]));

const ticketFields = ["type", "group_id", "assignee_id", "organization_id", "tags", "custom_fields"];
const rules: Readonly<Record<string, Rule>> = {
  user: {
    fields: {
      ...named("name", "details", "notes", "alias", "organization_id", "role"),
      ...{ email: caseless, external_id: caseless, phone, time_zone: zone, tags, locale: language },
    },
    custom: ["user_fields"],
    told: () => ["locale"],
  },
  organization: {
    fields: { ...named("name", "details", "notes"), external_id: caseless, domain_names: domains, tags },
    custom: ["organization_fields"],
    told: never,
  },
  ticket: {
    fields: {
      ...named("subject", "requester_id", "type", "status", "priority", "group_id", "assignee_id", "organization_id"),
      ...{ external_id: caseless, tags },
    },
    custom: ["custom_fields"],
    // A new ticket is there, however the account's triggers have filed it.
    told: (method) => ["status", "priority", ...(method === "POST" ? ticketFields : [])],
  },
  organization_membership: { fields: named("user_id", "organization_id"), custom: [], told: never },
  user_field: { fields: named("key", "type"), custom: [], told: never },
  organization_field: { fields: named("key", "type"), custom: [], told: never },
};

export interface Difference {
  field: string;
  sent: unknown;
  /** Undefined where the answer does not have the custom field at all: Zendesk passes over those that it does not know. */
  answered: unknown;
  /** The account may have changed it by itself: it is told, and no failure. */
  isTold?: true;
}

/** Where what Zendesk answered to a write is not what was sent. Nothing can be said of an answer that holds no object of the kind. */
export function differences(method: string, path: string, body: unknown, answer: Row): Difference[] {
  if (!isObject(body)) return [];
  return [
    ...ofTags(method, body, answer),
    ...Object.entries(rules).flatMap(([root, rule]) => {
      const sent = body[root];
      const answered = answer[root];
      if (!isObject(sent) || !isObject(answered)) return [];
      const told = rule.told(method);
      const found = [...ofFields(rule, sent, answered), ...ofCustomFields(rule, sent, answered)].map((one) =>
        told.includes(one.field.split(".")[0] ?? "") ? { ...one, isTold: true as const } : one,
      );
      return [...ofId(path, answered), ...found];
    }),
  ];
}

/**
 * The kind of object that was sent, where the answer has none of it with an id. An answer that names a job is the job's, which
 * does it later.
 */
export function missingObject(body: unknown, answer: Row): string | null {
  if (!isObject(body) || Object.hasOwn(answer, "job_status")) return null;
  return Object.keys(rules).find((root) => isObject(body[root]) && !hasId(answer[root])) ?? null;
}

const hasId = (answered: unknown) => isObject(answered) && /^[1-9]\d*$/.test(String(answered.id));

/** What Zendesk has left as it was before, of what it has kept otherwise than it was sent. */
export function leftAsBefore(
  found: readonly Difference[],
  changes: readonly { field: string; from: unknown }[],
): Difference[] {
  return found.filter((one) =>
    changes.some(({ field, from }) => field === one.field && isSameValue(from, one.answered)),
  );
}

/** In words, for a person: "name is “Bob” where “Ann” was sent". */
export function differenceWords(found: readonly Difference[]): string {
  return found
    .map(({ field, sent, answered }) =>
      answered === undefined
        ? `${field} is not there`
        : `${field} is “${brief(answered)}” where “${brief(sent)}” was sent`,
    )
    .join("; ");
}

/** The object that was to be changed, and no other. */
function ofId(path: string, answered: Row): Difference[] {
  const id = /\/(\d+)(?:\.json)?$/.exec(path)?.[1];
  if (id === undefined || answered.id === undefined || String(answered.id) === id) return [];
  return [{ field: "id", sent: id, answered: answered.id }];
}

/** At their own address tags are added, or taken away, and the answer has all that there are then. */
function ofTags(method: string, body: Row, answer: Row): Difference[] {
  if (!Array.isArray(body.tags)) return [];
  if (method !== "DELETE")
    return tags(body.tags, answer.tags, {}) ? [] : [{ field: "tags", sent: body.tags, answered: answer.tags ?? null }];
  const left = asTags(items(answer.tags)).filter((tag) => asTags(items(body.tags)).includes(tag));
  return left.length === 0 ? [] : [{ field: "tags", sent: `none of ${left.join(", ")}`, answered: answer.tags }];
}

function ofFields({ fields }: Rule, sent: Row, answered: Row): Difference[] {
  return Object.entries(fields).flatMap(([field, isSame]) =>
    !Object.hasOwn(sent, field) || isSame(sent[field], answered[field], answered)
      ? []
      : [{ field, sent: sent[field], answered: answered[field] ?? null }],
  );
}

function ofCustomFields({ custom }: Rule, sent: Row, answered: Row): Difference[] {
  return custom.flatMap((record) => {
    const got = byKey(answered[record]);
    return [...byKey(sent[record])].flatMap(([key, value]) =>
      isSameValue(value, got.get(key)) ? [] : [{ field: `${record}.${key}`, sent: value, answered: got.get(key) }],
    );
  });
}

/** Of users and organizations a record, of tickets a list with ids. */
function byKey(values: unknown): Map<string, unknown> {
  if (Array.isArray(values))
    return new Map(values.filter(isObject).map(({ id, value }) => [String(id), value ?? null]));
  return new Map(isObject(values) ? Object.entries(values) : []);
}

/** Of a custom field of any type: numbers may come as text, a date as its midnight, a cleared check box as nothing. */
function isSameValue(sent: unknown, answered: unknown): boolean {
  if (Array.isArray(sent) || Array.isArray(answered)) return sorted(sent) === sorted(answered);
  const [left, right] = [sent, answered].map((value) => (value === false ? "" : plain(value))) as [string, string];
  if (left === right) return true;
  if (isDay(left) && isDay(right)) return left.slice(0, 10) === right.slice(0, 10);
  return left !== "" && right !== "" && Number(left) === Number(right);
}

const items = (list: unknown) => (Array.isArray(list) ? list.map(String) : []);
const sorted = (list: unknown) =>
  [list ?? []]
    .flat()
    .map((item) => plain(item).toLowerCase())
    .sort()
    .join("\n");

function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  const words = isObject(value) ? JSON.stringify(value) : String(value);
  return words.normalize("NFC").replace(/\s+/g, " ").trim();
}

/** Without what a number has in one country only: signs, and zeros before it. */
const digits = (number: unknown) =>
  plain(number)
    .replace(/\(0\)|\D/g, "")
    .replace(/^0+/, "");
const speech = (locale: unknown) => plain(locale).toLowerCase().split(/[-_]/)[0];
const isDay = (words: string) => /^\d{4}-\d\d-\d\d(T|$)/i.test(words);
const brief = (value: unknown) => plainWords(value).slice(0, 60);
const plainWords = (value: unknown) =>
  Array.isArray(value) ? value.join(", ") : isObject(value) ? JSON.stringify(value) : String(value ?? "");
