import { randomBytes } from "node:crypto";
import type { Id } from "../world/ids.ts";

/** A value of an answer. */
export type Wire = Record<string, unknown>;

/** A word that no ticket contains, so that what it brackets can be put back after `JSON.stringify`. */
const mark = randomBytes(9).toString("base64url");
const literalPattern = new RegExp(`"${mark}:n:([^"]*)"`, "g");
const bytesPattern = new RegExp(`${mark}:b:([0-9a-f]*):`, "g");

/** Text that is to stand in the JSON as it is: an integer past 2^53, or anything that no JavaScript value writes. */
class Literal {
  constructor(private readonly text: string) {}

  toJSON(): string {
    return `${mark}:n:${this.text}`;
  }
}

export function literal(text: string): unknown {
  return new Literal(text);
}

/** Inside a text: bytes as they are, valid UTF-8 or not, such as `c328`. */
export function rawBytes(hex: string): string {
  return `${mark}:b:${hex}:`;
}

/** An id as the API writes it: a bare integer, however long. Text that is no integer stays text. */
export function wireId(id: Id): unknown;
export function wireId(id: Id | null): unknown;
export function wireId(id: Id | null): unknown {
  if (id === null) return null;
  if (id.length <= 15) {
    const number = Number(id);
    return Number.isInteger(number) && String(number) === id ? number : id;
  }
  return /^-?\d+$/.test(id) ? new Literal(id) : id;
}

/** Writes an answer's body. */
export function encode(value: unknown): Buffer {
  const text = JSON.stringify(value) ?? "";
  if (!text.includes(mark)) return Buffer.from(text);
  const withLiterals = text.replace(literalPattern, "$1");
  if (!withLiterals.includes(mark)) return Buffer.from(withLiterals);
  const parts: Buffer[] = [];
  let from = 0;
  for (const match of withLiterals.matchAll(bytesPattern)) {
    parts.push(Buffer.from(withLiterals.slice(from, match.index)), Buffer.from(match[1] ?? "", "hex"));
    from = match.index + match[0].length;
  }
  parts.push(Buffer.from(withLiterals.slice(from)));
  return Buffer.concat(parts);
}
