/** An account as it came in, found right. What is absent leaves what is stored; `ownerEmail: null` takes the owner away. */
export interface NewAccount {
  externalId: string;
  name: string;
  ownerEmail?: string | null;
  attributes: [key: string, value: string][];
}

/** A row that goes in, or the reason why it does not. */
export type Judged = { account: NewAccount } | { externalId: string | null; problem: string };

/** What the caller calls the fields: messages speak the words of the body or of the file. */
export interface FieldWords {
  externalId: string;
  name: string;
  ownerEmail: string;
  attribute: (key: string) => string;
}

export const bodyWords: FieldWords = {
  externalId: "externalId",
  name: "name",
  ownerEmail: "ownerEmail",
  attribute: (key) => `attributes.${key}`,
};

/** PostgreSQL's index rows end at 2,704 bytes, and both are indexed as they stand. */
const LONGEST_INDEXED_BYTES = 2500;
const LONGEST_KEY = 200;
const LONGEST_VALUE = 65_536;
const MOST_ATTRIBUTES = 200;
const LONGEST_EMAIL = 320;

/** Judges one row by itself; `value` may be anything that a caller can send. */
export function judgeAccount(value: unknown, words: FieldWords = bodyWords): Judged {
  if (!isObject(value)) return { externalId: null, problem: `The row must be an object, not ${nameOf(value)}.` };
  const externalId = typeof value.externalId === "string" ? value.externalId : null;
  const problem =
    problemOfRequired(words.externalId, value.externalId) ??
    (externalId?.trim() === "" ? `${words.externalId} is blank.` : null) ??
    problemOfRequired(words.name, value.name) ??
    problemOfOwner(words.ownerEmail, value.ownerEmail) ??
    problemOfAttributes(words, value.attributes);
  if (problem !== null || externalId === null) return { externalId, problem: problem ?? "" };
  const { ownerEmail, attributes } = value;
  return {
    account: {
      externalId,
      name: value.name as string,
      ...(ownerEmail !== undefined && { ownerEmail: (ownerEmail as string | null)?.trim().toLowerCase() ?? null }),
      attributes: Object.entries((attributes ?? {}) as Record<string, string>),
    },
  };
}

function problemOfRequired(word: string, value: unknown): string | null {
  if (value === undefined || value === null) return `${word} is missing.`;
  if (typeof value !== "string") return `${word} must be text, not ${nameOf(value)}.`;
  if (value === "") return `${word} is empty.`;
  if (Buffer.byteLength(value) > LONGEST_INDEXED_BYTES) {
    return `${word} is longer than ${LONGEST_INDEXED_BYTES.toLocaleString("en")} bytes.`;
  }
  return problemOfText(word, value);
}

function problemOfOwner(word: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") return `${word} must be an e-mail address or null, not ${nameOf(value)}.`;
  const email = value.trim();
  if (
    email.length <= LONGEST_EMAIL &&
    /^[^\s@\p{Cc}\p{Cs}]+@[^\s@.\p{Cc}\p{Cs}]+(\.[^\s@.\p{Cc}\p{Cs}]+)*$/u.test(email)
  )
    return null;
  return `${word} must be an e-mail address, and ${quoted(value)} is none.`;
}

function problemOfAttributes(words: FieldWords, value: unknown): string | null {
  if (value === undefined) return null;
  if (!isObject(value)) return `attributes must be an object of text values, not ${nameOf(value)}.`;
  const entries = Object.entries(value);
  if (entries.length > MOST_ATTRIBUTES)
    return `The row has ${entries.length} attributes; at most ${MOST_ATTRIBUTES} are kept.`;
  for (const [key, text] of entries) {
    const problem = problemOfAttribute(key, text, words.attribute(key));
    if (problem !== null) return problem;
  }
  return null;
}

function problemOfAttribute(key: string, value: unknown, word: string): string | null {
  if (key.trim() === "") return "An attribute has no name.";
  if (key.length > LONGEST_KEY) return `The attribute name ${quoted(key)} is longer than ${LONGEST_KEY} characters.`;
  const named = problemOfText("An attribute name", key);
  if (named !== null) return named;
  if (typeof value !== "string") return `${word} must be text, not ${nameOf(value)}: send it in quotes.`;
  if (value.length > LONGEST_VALUE) return `${word} is longer than ${LONGEST_VALUE.toLocaleString("en")} characters.`;
  return problemOfText(word, value);
}

function problemOfText(word: string, value: string): string | null {
  if (value.includes("\0")) return `${word} contains a NUL character, which no text here can hold.`;
  if (/\p{Cs}/u.test(value)) return `${word} contains half a character (an unpaired surrogate).`;
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return `the ${typeof value} ${String(value)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${[...text].slice(0, 60).join("")}…` : text);
}
