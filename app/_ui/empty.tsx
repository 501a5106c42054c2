import { CircleOff, Inbox, type LucideIcon, PlugZap, RefreshCw, SearchX } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";

/**
 * Four emptinesses that must never look alike: nothing was ever connected, the first rows are still on their way,
 * the filters match nothing, and there is truly nothing.
 */
export type EmptyKind = "never-connected" | "still-syncing" | "no-match" | "none";

const icons: Record<EmptyKind, LucideIcon> = {
  "never-connected": PlugZap,
  "still-syncing": RefreshCw,
  "no-match": SearchX,
  none: Inbox,
};

type EmptyProps = {
  kind: EmptyKind;
  title: string;
  /** Why, and the next step, in a sentence. */
  children?: ReactNode;
  /** The next step as a button or link. */
  action?: ReactNode;
  className?: string;
};

export function Empty({ kind, title, children, action, className }: EmptyProps) {
  const Icon = icons[kind];
  return (
    <div
      role={kind === "still-syncing" ? "status" : undefined}
      className={cn("flex flex-col items-center gap-2 px-4 py-10 text-center", className)}
    >
      <Icon aria-hidden className="size-5 text-muted" />
      <p className="text-body font-medium">{title}</p>
      {children && <div className="max-w-96 text-table text-muted">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

/** For a thing that a reader may not see or that is no longer there. */
export function Gone({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-16 text-center">
      <CircleOff aria-hidden className="size-5 text-muted" />
      <p className="text-body font-medium">{title}</p>
      {children && <div className="max-w-96 text-table text-muted">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}
