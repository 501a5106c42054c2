import { isFreeMail } from "#lib/matching/free-mail.ts";
import type { MatchKey, MatchState, Normalization } from "#lib/matching/shapes.ts";

/**
 * What a match key means, and its outcome in words (api.md, Matching). Pure. `lib/matching/run.ts` says the same in SQL
 * for a whole connection at once; the tests hold the two against each other.
 */

/** What JavaScript's trim takes away, spelled out so that SQL trims the same in every locale. */
export const whitespace =
  "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";

/** The value as a key compares it; empty text never matches. */
export function normalized(value: string | null, how: Normalization): string {
  if (value === null) return "";
  if (how === "exact") return value;
  const plain = value.trim().toLowerCase();
  if (how === "case_insensitive") return plain;
  const domain = hostOf(plain);
  return isFreeMail(domain) ? "" : domain;
}

/** Host alone: scheme, user, path, port, `www.` and a trailing dot dropped. Takes lower case. */
export function hostOf(plain: string): string {
  return plain
    .replace(/^([a-z][a-z0-9+.-]*:)?\/\//, "")
    .replace(/[/?#\\].*$/s, "")
    .replace(/^.*@/s, "")
    .replace(/:[0-9]*$/, "")
    .replace(/^www\./, "")
    .replace(/\.$/, "");
}

/**
 * The ladder of a connection for which nobody has set one. Both keys are put there on purpose by a person (T-39): the
 * organization's Zendesk id, the default of T-17, kept in an attribute of the account, then the organization's external
 * id, which is the customer's number in another system. Names and domains can mislead and are left for a person to choose;
 * so is comparing the Zendesk id with the account's external id, since two unrelated numbers may be equal.
 */
export function defaultMatchKeys(): MatchKey[] {
  return [
    { organizationField: "id", accountField: "attributes.zendesk_organization_id", normalize: "exact" },
    { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
  ];
}

/** What an organization brought to one key. */
export interface KeyValues {
  key: MatchKey;
  /** Its values as Zendesk has them; several for `domain_names`. */
  values: string[];
}

export interface Outcome {
  state: MatchState;
  /** Index of the key that decided or found several accounts; null where a person decided or no key met anything. */
  keyIndex: number | null;
  /** How many accounts the ambiguous key met, at most 20. */
  candidates: number;
  decidedBy: string | null;
}

/** Why an organization stands where it stands, in one sentence a person can act on. */
export function reasonOf(outcome: Outcome, asked: KeyValues[]): string {
  const { state, keyIndex, decidedBy } = outcome;
  if (decidedBy !== null && state === "ignored") return `${decidedBy} said that this is not an account.`;
  if (decidedBy !== null && state === "matched") return `${decidedBy} chose this account.`;
  const deciding = keyIndex === null ? undefined : asked[keyIndex];
  if (state === "matched" && deciding)
    return `Key ${Number(keyIndex) + 1}: ${equalIn(deciding)} in exactly one account.`;
  if (state === "ambiguous" && deciding) {
    const several = outcome.candidates >= 20 ? "20 or more" : String(outcome.candidates);
    return `Key ${Number(keyIndex) + 1}: ${equalIn(deciding)} in ${several} accounts.`;
  }
  if (asked.length === 0) return "No match key is set.";
  return asked.map((key, index) => `Key ${index + 1}: ${missIn(key)}.`).join(" ");
}

/** What speaks for one of the accounts that an ambiguous key met. */
export function evidenceOf(asked: KeyValues[], keyIndex: number): string {
  const key = asked[keyIndex];
  return key ? `Key ${keyIndex + 1}: ${equalIn(key)}.` : "";
}

function equalIn({ key, values }: KeyValues): string {
  return `${key.organizationField} ${quoted(values)} is the ${accountWord(key)}`;
}

function missIn({ key, values }: KeyValues): string {
  const field = key.organizationField;
  if (values.every((value) => value === "")) return `${field} is empty`;
  const usable = values.filter((value) => normalized(value, key.normalize) !== "");
  if (usable.length === 0) {
    return key.normalize === "domain" ? `${field} ${quoted(values)} is free mail` : `${field} is blank`;
  }
  return `no account has ${quoted(usable)} as its ${accountWord(key)}`;
}

function accountWord({ accountField }: MatchKey): string {
  if (accountField === "externalId") return "external id";
  return accountField.startsWith("attributes.")
    ? `attribute ${accountField.slice("attributes.".length)}`
    : accountField;
}

function quoted(values: string[]): string {
  const shown = values.slice(0, 3).map((value) => `“${[...value].slice(0, 80).join("")}”`);
  return values.length > 3 ? `${shown.join(", ")} and ${values.length - 3} more` : shown.join(", ");
}
