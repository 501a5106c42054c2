import { CircleAlert, CircleCheck, CircleDashed, CircleEllipsis, type LucideIcon, TriangleAlert } from "lucide-react";

/** How something stands. `unknown` is a state of its own, never shown as good; `running` goes on as it should. */
export type Status = "good" | "running" | "watch" | "bad" | "unknown";

export const statusIcon: Record<Status, LucideIcon> = {
  good: CircleCheck,
  running: CircleEllipsis,
  watch: TriangleAlert,
  bad: CircleAlert,
  unknown: CircleDashed,
};

export const statusText: Record<Status, string> = {
  good: "text-good",
  running: "text-accent",
  watch: "text-watch",
  bad: "text-bad",
  unknown: "text-muted",
};

export const statusFill: Record<Status, string> = {
  good: "bg-good-soft text-good",
  running: "bg-accent-soft text-accent",
  watch: "bg-watch-soft text-watch",
  bad: "bg-bad-soft text-bad",
  unknown: "bg-hover text-muted",
};
