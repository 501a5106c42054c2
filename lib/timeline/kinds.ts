import type { TimelineKind } from "./shapes.ts";

/** Lowest first; what is not among them (null, an unknown word) ranks below all. */
const priorityRank = ["low", "normal", "high", "urgent"];

export type StatusCategory = "new" | "open" | "pending" | "hold" | "solved" | "closed";
export const statusCategories: ReadonlySet<string> = new Set<StatusCategory>([
  "new",
  "open",
  "pending",
  "hold",
  "solved",
  "closed",
]);

/** One change of priority; `from` is null where the ticket had none (or one that Zendesk does not know). */
export interface PriorityMove {
  from: string | null;
  to: string;
}

/** The category that a status word of Zendesk's own names; null for any other word (a custom one, `deleted`). */
export function categoryOfStatus(status: string | null): StatusCategory | null {
  const word = status?.toLowerCase() ?? "";
  return statusCategories.has(word) ? (word as StatusCategory) : null;
}

export function isUnsolved(category: StatusCategory): boolean {
  return category !== "solved" && category !== "closed";
}

/** The higher of two priorities. */
export function higherPriority(a: string | null, b: string | null): string | null {
  return rank(b) > rank(a) ? b : a;
}

/** A move between priorities that a top set can name; null where the new one never can be in it. */
export function priorityMove(from: string | null, to: string | null): PriorityMove | null {
  if (from === to || to === null || !priorityRank.includes(to)) return null;
  return { from: from !== null && priorityRank.includes(from) ? from : null, to };
}

/**
 * Which moves enter a top set: the set is a setting, so a stored move is judged when it is read.
 * `formatMoves` writes what `escalations` is compared with.
 */
export function escalations(topPriorities: readonly string[]): string[] {
  const outside = [null, ...priorityRank.filter((priority) => !topPriorities.includes(priority))];
  const inside = priorityRank.filter((priority) => topPriorities.includes(priority));
  return outside.flatMap((from) => inside.map((to) => formatMove({ from, to })));
}

/** The moves of one second as text: `none>high low>urgent`, each once. */
export function formatMoves(moves: readonly PriorityMove[]): string {
  return [...new Set(moves.map(formatMove))].sort().join(" ");
}

function formatMove({ from, to }: PriorityMove): string {
  return `${from ?? "none"}>${to}`;
}

function rank(priority: string | null): number {
  return priority === null ? -1 : priorityRank.indexOf(priority);
}

/** Kinds whose default view asks whether the ticket was of top priority at that moment; the others show always. */
export const kindsJudgedByPriority: readonly TimelineKind[] = ["ticket_created", "ticket_solved", "ticket_reopened"];
