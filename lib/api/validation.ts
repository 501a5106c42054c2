import type { z } from "zod";
import { AppError, type ErrorDetail } from "#lib/errors.ts";

/** The value as the schema makes it. Throws `invalid` that names every wrong place by its dotted path. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = checked(schema, value);
  if (result.success) return result.data;
  const details = result.error.issues.flatMap(detailsOf);
  throw new AppError("invalid", details.map(({ path, message }) => `${path || "The value"} ${message}`).join("; "), {
    details,
  });
}

/** A schema that names itself follows a value as deep as it goes, and that is deeper than the stack for whoever wants it so. */
function checked<Schema extends z.ZodType>(schema: Schema, value: unknown) {
  try {
    return schema.safeParse(value, { error: describe });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AppError("invalid", "The value is nested too deeply to be read.", { cause: error });
  }
}

/** The words for what zod finds wrong; undefined leaves the schema's own message or zod's. */
function describe(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") {
    if (issue.input === undefined) return "is missing";
    return `must be ${article(issue.expected)}, and is ${nameOf(issue.input)}`;
  }
  if (issue.code === "invalid_value") return `must be ${oneOf(issue.values.map(String))}`;
  if (issue.code === "too_big") return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
  if (issue.code === "too_small" && issue.origin === "string" && issue.minimum === 1) return "must not be empty";
  if (issue.code === "too_small") return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === "invalid_format" && issue.format === "datetime")
    return "must be an instant such as 2026-11-22T08:00:00Z";
  if (issue.code === "invalid_format" && issue.format === "date") return "must be a day such as 2026-11-22";
  return undefined;
}

function detailsOf(issue: z.core.$ZodIssue): ErrorDetail[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...issue.path, key].map(String).join("."),
      message: "is not known here",
    }));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) return [{ path, message: unionMessage(issue) }];
  return [{ path, message: issue.message }];
}

/** Each form that the union takes, with what this value lacks for it. */
function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  if (issue.message !== "Invalid input") return issue.message;
  const forms = issue.errors.map((issues) =>
    issues
      .flatMap(detailsOf)
      .map(({ path, message }) => `${path} ${message}`.trim())
      .join(", "),
  );
  return `has none of the forms it can have (${forms.join(" – or ")})`;
}

function article(expected: string): string {
  const words: Record<string, string> = {
    int: "a whole number",
    array: "a list",
    object: "an object",
    record: "an object",
  };
  return words[expected] ?? `a ${expected}`;
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function oneOf(values: string[]): string {
  return values.length === 1 ? `${values[0]}` : `one of ${values.join(", ")}`;
}

function unitOf(origin: string): string {
  const units: Record<string, string> = { string: " characters long", array: " items long" };
  return units[origin] ?? "";
}
