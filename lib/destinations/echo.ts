import { isObject } from "#lib/zendesk/answers.ts";

/*
 * A success is one only where Zendesk's answer holds what was sent (row 97). Compared is what Zendesk keeps as it gets it:
 * a time zone comes back under another name, a phone number in another form, an added e-mail not at all, and a ticket as the
 * account's own triggers have changed it meanwhile.
 */

interface Rule {
  fields: readonly string[];
  /** Records of custom fields. */
  records: readonly string[];
}

const rules: Record<string, Rule> = {
  user: { fields: ["name", "external_id", "details", "notes", "organization_id", "role"], records: ["user_fields"] },
  organization: { fields: ["name", "external_id", "details", "notes"], records: ["organization_fields"] },
  ticket: { fields: ["subject", "external_id", "requester_id"], records: [] },
  organization_membership: { fields: ["user_id", "organization_id"], records: [] },
  user_field: { fields: ["key", "type"], records: [] },
  organization_field: { fields: ["key", "type"], records: [] },
};

export interface Difference {
  field: string;
  sent: unknown;
  /** Undefined where the answer does not have the custom field at all: Zendesk passes over those that it does not know. */
  answered: unknown;
}

/** Where what Zendesk answered to a write is not what was sent. Nothing can be said of an answer that holds no object of the kind. */
export function differences(path: string, body: unknown, answer: Record<string, unknown>): Difference[] {
  if (!isObject(body)) return [];
  return Object.entries(rules).flatMap(([root, rule]) => {
    const sent = body[root];
    const answered = answer[root];
    if (!isObject(sent) || !isObject(answered)) return [];
    return [...ofId(path, answered), ...ofFields(rule, sent, answered)];
  });
}

/**
 * The kind of object that was sent, where the answer has none of it with an id. An answer that names a job is the job's, which
 * does it later.
 */
export function missingObject(body: unknown, answer: Record<string, unknown>): string | null {
  if (!isObject(body) || Object.hasOwn(answer, "job_status")) return null;
  return Object.keys(rules).find((root) => isObject(body[root]) && !hasId(answer[root])) ?? null;
}

const hasId = (answered: unknown) => isObject(answered) && /^[1-9]\d*$/.test(String(answered.id));

/** What Zendesk has left as it was before, of what it has kept otherwise than it was sent. */
export function leftAsBefore(
  found: readonly Difference[],
  changes: readonly { field: string; from: unknown }[],
): Difference[] {
  return found.filter((one) => changes.some(({ field, from }) => field === one.field && isSame(from, one.answered)));
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
function ofId(path: string, answered: Record<string, unknown>): Difference[] {
  const id = /\/(\d+)(?:\.json)?$/.exec(path)?.[1];
  if (id === undefined || answered.id === undefined || String(answered.id) === id) return [];
  return [{ field: "id", sent: id, answered: answered.id }];
}

function ofFields(rule: Rule, sent: Record<string, unknown>, answered: Record<string, unknown>): Difference[] {
  const named = rule.fields.filter((field) => Object.hasOwn(sent, field) && Object.hasOwn(answered, field));
  const own = named.map((field) => ({ field, sent: sent[field], answered: answered[field] }));
  const custom = rule.records.flatMap((record) => {
    const [given, got] = [sent[record], answered[record]];
    if (!isObject(given) || !isObject(got)) return [];
    return Object.entries(given).map(([key, value]) => ({
      field: `${record}.${key}`,
      sent: value,
      answered: got[key],
    }));
  });
  return [...own, ...custom].filter((one) => !isSame(one.sent, one.answered));
}

function isSame(sent: unknown, answered: unknown): boolean {
  if (Array.isArray(sent)) return true; // lists come back sorted, completed, or in other spellings
  const [left, right] = [plain(sent), plain(answered)];
  if (left === right) return true;
  if (isDay(left) && isDay(right)) return left.slice(0, 10) === right.slice(0, 10);
  return left !== "" && right !== "" && Number(left) === Number(right);
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = isObject(value) ? JSON.stringify(value) : String(value);
  return text.normalize("NFC").replace(/\s+/g, " ").trim().toLowerCase();
}

const isDay = (text: string) => /^\d{4}-\d\d-\d\d(t|$)/.test(text);
const brief = (value: unknown) => plainWords(value).slice(0, 60);
const plainWords = (value: unknown) => (isObject(value) ? JSON.stringify(value) : String(value ?? ""));
