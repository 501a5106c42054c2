import { CircleAlert, CircleCheck, CircleDashed, type LucideIcon, TriangleAlert } from "lucide-react";

/** How something stands. `unknown` is a state of its own, never shown as good. */
export type Status = "good" | "watch" | "bad" | "unknown";

export const statusIcon: Record<Status, LucideIcon> = {
  good: CircleCheck,
  watch: TriangleAlert,
  bad: CircleAlert,
  unknown: CircleDashed,
};

export const statusText: Record<Status, string> = {
  good: "text-good",
  watch: "text-watch",
  bad: "text-bad",
  unknown: "text-muted",
};

export const statusFill: Record<Status, string> = {
  good: "bg-good-soft text-good",
  watch: "bg-watch-soft text-watch",
  bad: "bg-bad-soft text-bad",
  unknown: "bg-hover text-muted",
};
