import { hash } from "node:crypto";
import { fromSeconds, parseUsualInstant } from "#lib/zendesk/dates.ts";
import { cleanText, cutAt, isClean } from "#lib/zendesk/text.ts";

export type Wire = Record<string, unknown>;

/**
 * Reads fields of wire rows leniently: another type than expected gives null, with a note that says so (rows 56, 58a).
 * Absent, null and empty are not worth a note. One reader serves a page; `take()` empties its notes after each row.
 */
export class RowReader {
  /** Texts that the gate had to change (row 53). */
  cleaned = 0;
  private notes: string[] = [];

  take(): string[] {
    const notes = this.notes;
    if (notes.length > 0) this.notes = [];
    return notes;
  }

  note(field: string, value: unknown, expected: string): null {
    this.notes.push(`${field} is not ${expected}: ${cutAt(describe(value), 80)}`);
    return null;
  }

  text(row: Wire, field: string): string | null {
    const value = row[field];
    if (typeof value === "string") return this.clean(value);
    if (value === null || value === undefined) return null;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    return this.note(field, value, "text");
  }

  clean(value: string): string {
    if (!isClean(value)) this.cleaned++;
    return cleanText(value);
  }

  /** Zendesk's null id is also written "" and "0". */
  id(row: Wire, field: string): string | null {
    const value = row[field];
    if (value === null || value === undefined || value === "" || value === "0") return null;
    if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
    if (typeof value === "string" && /^-?\d{1,18}$/.test(value)) return value;
    if (typeof value === "string" && /^-?\d{19}$/.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value)) {
      return value;
    }
    return this.note(field, value, "an id");
  }

  instant(row: Wire, field: string): Date | null {
    const value = row[field];
    if (value === null || value === undefined || value === "") return null;
    return parseUsualInstant(value) ?? this.note(field, value, "a date");
  }

  boolean(row: Wire, field: string): boolean | null {
    const value = row[field];
    if (typeof value === "boolean") return value;
    return value === null || value === undefined ? null : this.note(field, value, "true or false");
  }

  integer(row: Wire, field: string): number | null {
    const value = row[field];
    if (value === null || value === undefined) return null;
    const fits = typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2_147_483_647;
    return fits ? value : this.note(field, value, "a whole number");
  }

  texts(row: Wire, field: string): string[] {
    const value = row[field];
    if (value === null || value === undefined) return [];
    if (!Array.isArray(value)) {
      this.note(field, value, "a list");
      return [];
    }
    const texts = value.filter((item) => typeof item === "string");
    if (texts.length < value.length) this.note(field, value, "a list of texts");
    return texts.map((text) => this.clean(text));
  }

  object(row: Wire, field: string): Wire | null {
    const value = row[field];
    if (value === null || value === undefined) return null;
    if (typeof value === "object" && !Array.isArray(value)) return value as Wire;
    return this.note(field, value, "an object");
  }

  /** Zendesk writes values of events and fields as text, numbers, booleans or lists; all become text. */
  anyText(field: string, value: unknown): string | null {
    if (value === null || value === undefined) return null;
    if (typeof value === "string") return this.clean(value);
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    try {
      return this.clean(JSON.stringify(value));
    } catch {
      return this.note(field, value, "readable: it is nested too deeply");
    }
  }
}

/** A signed 64-bit integer as text over everything that a row stores: it decides between equal versions (row 19). */
export function contentHash(...parts: readonly (string | number | boolean | Date | null)[]): string {
  const text = parts
    .map((part) => (part === null ? "\u0001" : part instanceof Date ? part.getTime() : part))
    .join("\u0000");
  return hashOfText(text);
}

export function hashOfText(text: string): string {
  return BigInt.asIntN(64, BigInt(`0x${hash("sha1", text, "hex").slice(0, 16)}`)).toString();
}

export function idOf(value: unknown): string {
  return String(value);
}

export function instantOfSeconds(value: unknown): Date | null {
  return typeof value === "number" ? fromSeconds(value) : null;
}

function describe(value: unknown): string {
  try {
    return cleanText(typeof value === "string" ? value : (JSON.stringify(value) ?? String(value)), 200);
  } catch {
    return "(nested too deeply)";
  }
}
