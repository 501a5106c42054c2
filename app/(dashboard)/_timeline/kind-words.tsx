import {
  CircleAlert,
  CircleCheck,
  Frown,
  type LucideIcon,
  MousePointerClick,
  RotateCcw,
  TrendingUp,
} from "lucide-react";
import type { TimelineKind } from "#lib/timeline/shapes.ts";

interface KindWords {
  /** In a filter. */
  label: string;
  /** After the priority: "Urgent ticket created". */
  verb: string;
  icon: LucideIcon;
  colour: string;
}

export const kindWords: Record<TimelineKind, KindWords> = {
  ticket_created: { label: "Created", verb: "ticket created", icon: CircleAlert, colour: "text-top-priority" },
  ticket_escalated: { label: "Escalated", verb: "ticket escalated", icon: TrendingUp, colour: "text-top-priority" },
  ticket_solved: { label: "Solved", verb: "ticket solved", icon: CircleCheck, colour: "text-good" },
  ticket_reopened: { label: "Reopened", verb: "ticket reopened", icon: RotateCcw, colour: "text-watch" },
  rating_bad: { label: "Bad rating", verb: "Bad rating", icon: Frown, colour: "text-bad-rating" },
  customer_event: { label: "Customer event", verb: "Customer event", icon: MousePointerClick, colour: "text-muted" },
};

/** "Urgent ticket created"; without a priority "Ticket created". */
export function entryWords(kind: TimelineKind, priorityThen: string | null): string {
  if (kind === "rating_bad" || kind === "customer_event") return kindWords[kind].verb;
  const { verb } = kindWords[kind];
  const words = priorityThen ? `${priorityThen} ${verb}` : verb;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
