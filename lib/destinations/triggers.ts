import { type Path, readPaths, valueAt } from "#lib/destinations/paths.ts";
import type { Comparison, Condition } from "#lib/destinations/shapes.ts";

const deepest = 8;
const withoutValue: readonly Comparison["operator"][] = ["exists", "not_exists"];

/**
 * Whether an event is one that the condition asks for. Text is compared with upper and lower case told apart; a number
 * and its text are the same. What is missing or null equals nothing, contains nothing and is neither greater nor less.
 */
export function matches(condition: Condition, event: Readonly<Record<string, unknown>>): boolean {
  if ("all" in condition) return condition.all.every((part) => matches(part, event));
  if ("any" in condition) return condition.any.some((part) => matches(part, event));
  if ("not" in condition) return !matches(condition.not, event);
  return compare(condition, valueAt(event, fieldPaths(condition.field)));
}

/** What is wrong with a condition, each with its dotted place under `path`; none for one that can be asked. */
export function conditionProblems(condition: Condition, path: string, depth = 1): { path: string; message: string }[] {
  if (depth > deepest) return [{ path, message: `is more than ${deepest} levels deep` }];
  const below = (parts: readonly Condition[], name: string) =>
    parts.flatMap((part, index) => conditionProblems(part, `${path}.${name}.${index}`, depth + 1));
  if ("all" in condition) return below(condition.all, "all");
  if ("any" in condition) return below(condition.any, "any");
  if ("not" in condition) return conditionProblems(condition.not, `${path}.not`, depth + 1);
  return comparisonProblems(condition, path);
}

function comparisonProblems({ field, operator, value }: Comparison, path: string) {
  const problems: { path: string; message: string }[] = [];
  try {
    fieldPaths(field);
  } catch (error) {
    problems.push({ path: `${path}.field`, message: `${(error as Error).message}; or take type or event` });
  }
  const needsValue = !withoutValue.includes(operator);
  if (needsValue && value === undefined) problems.push({ path: `${path}.value`, message: `is needed by ${operator}` });
  if (needsValue && value === "")
    problems.push({ path: `${path}.value`, message: `must not be empty: ${operator} compares with it` });
  if (!needsValue && value !== undefined)
    problems.push({ path: `${path}.value`, message: `means nothing to ${operator}` });
  return problems;
}

function fieldPaths(field: string): readonly Path[] {
  return field === "type" || field === "event" ? [[field]] : readPaths(field);
}

function compare({ operator, value: wanted }: Comparison, found: unknown): boolean {
  switch (operator) {
    case "exists":
      return found !== undefined;
    case "not_exists":
      return found === undefined;
    case "equals":
      return isSame(found, wanted);
    case "not_equals":
      return !isSame(found, wanted);
    case "contains":
      return contains(found, wanted);
    case "not_contains":
      return !contains(found, wanted);
    case "starts_with":
      return isScalar(found) && String(found).startsWith(String(wanted));
    case "greater_than":
      return (order(found, wanted) ?? 0) > 0;
    case "less_than":
      return (order(found, wanted) ?? 0) < 0;
  }
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

const isSame = (found: unknown, wanted: Comparison["value"]) => isScalar(found) && String(found) === String(wanted);

/** A part of a text, or one item of a list. */
function contains(found: unknown, wanted: Comparison["value"]): boolean {
  if (Array.isArray(found)) return found.some((item) => isSame(item, wanted));
  return isScalar(found) && String(found).includes(String(wanted));
}

/** Of two numbers, or of two dates; null where there is no order. */
function order(found: unknown, wanted: Comparison["value"]): number | null {
  const numbers = [numberOf(found), numberOf(wanted)] as const;
  if (numbers[0] !== null && numbers[1] !== null) return numbers[0] - numbers[1];
  const instants = [instantOf(found), instantOf(wanted)] as const;
  return instants[0] !== null && instants[1] !== null ? instants[0] - instants[1] : null;
}

function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return typeof value === "string" && /^\s*[-+]?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : null;
}

function instantOf(value: unknown): number | null {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}/.test(value)) return null;
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? null : instant;
}
