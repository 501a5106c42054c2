import type { Comparison, Condition } from "#lib/destinations/shapes.ts";

/** How the parts of a group are joined, as the editor offers it. */
export type Joining = "all" | "any" | "none" | "not_all";
export interface Group {
  joining: Joining;
  parts: readonly Condition[];
}

export const joiningWords: Record<Joining, string> = {
  all: "all of these",
  any: "any of these",
  none: "none of these",
  not_all: "not all of these",
};

export const operatorWords: Record<Comparison["operator"], string> = {
  equals: "is",
  not_equals: "is not",
  exists: "is there",
  not_exists: "is not there",
  contains: "contains",
  not_contains: "does not contain",
  starts_with: "starts with",
  greater_than: "is greater than",
  less_than: "is less than",
};

export const isComparison = (condition: Condition): condition is Comparison => "field" in condition;
export const takesValue = (operator: Comparison["operator"]) => operator !== "exists" && operator !== "not_exists";

/** Any condition as a group that means the same. */
export function groupOf(condition: Condition): Group {
  if ("all" in condition) return { joining: "all", parts: condition.all };
  if ("any" in condition) return { joining: "any", parts: condition.any };
  if ("not" in condition) {
    const inner = condition.not;
    if ("all" in inner) return { joining: "not_all", parts: inner.all };
    return { joining: "none", parts: "any" in inner ? inner.any : [inner] };
  }
  return { joining: "all", parts: [condition] };
}

/** Where the parts of that group stand in the condition, as the API names places. */
export function placesOf(condition: Condition): string[] {
  if ("all" in condition) return condition.all.map((_, at) => `all.${at}`);
  if ("any" in condition) return condition.any.map((_, at) => `any.${at}`);
  if (!("not" in condition)) return [""];
  const { not } = condition;
  return "all" in not || "any" in not ? placesOf(not).map((place) => `not.${place}`) : ["not"];
}

export function conditionOf({ joining, parts }: Group): Condition {
  const items = [...parts];
  switch (joining) {
    case "all":
      return { all: items };
    case "any":
      return { any: items };
    case "none":
      return { not: { any: items } };
    case "not_all":
      return { not: { all: items } };
  }
}

/** The condition in a sentence: "type is identify and $.traits.plan is there". */
export function conditionWords(condition: Condition): string {
  if (isComparison(condition)) {
    const { field, operator, value } = condition;
    return [field, operatorWords[operator], ...(takesValue(operator) ? [`“${value ?? ""}”`] : [])].join(" ");
  }
  const { joining, parts } = groupOf(condition);
  if (parts.length === 0) return joining === "all" || joining === "none" ? "every event" : "no event";
  const words = parts.map((part) => (isComparison(part) ? conditionWords(part) : `(${conditionWords(part)})`));
  if (joining === "all") return words.join(" and ");
  if (joining === "any") return words.join(" or ");
  return joining === "none" ? `neither ${words.join(" nor ")}` : `not all of ${words.join(", ")}`;
}

/** Whether every comparison says what it compares, and with what. */
export function isComplete(condition: Condition): boolean {
  if (!isComparison(condition)) return groupOf(condition).parts.every(isComplete);
  const { field, operator, value } = condition;
  return field.trim() !== "" && (!takesValue(operator) || (value !== undefined && value !== ""));
}
