import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";

type NoticeKind = "failure" | "warning" | "info";

const look = {
  failure: { icon: CircleAlert, box: "bg-bad-soft", mark: "text-bad", word: "Failure" },
  warning: { icon: TriangleAlert, box: "bg-watch-soft", mark: "text-watch", word: "Warning" },
  info: { icon: Info, box: "bg-hover", mark: "text-accent", word: "Note" },
} as const;

type NoticeProps = {
  kind: NoticeKind;
  /** What happened, in one sentence. */
  title: ReactNode;
  /** What still works and what to do. */
  children?: ReactNode;
  /** Buttons or links that do it. */
  actions?: ReactNode;
  /** Reads itself aloud when it appears; off for what stood there from the start. */
  announce?: boolean;
  className?: string;
};

/** What happened, what still works, what to do. */
export function Notice({ kind, title, children, actions, announce = false, className }: NoticeProps) {
  const { icon: Icon, box, mark, word } = look[kind];
  return (
    <div
      role={announce ? (kind === "failure" ? "alert" : "status") : undefined}
      className={cn("flex flex-wrap items-start gap-x-3 gap-y-2 rounded-control px-3 py-2 text-table", box, className)}
    >
      <Icon aria-hidden className={cn("mt-px size-4 shrink-0", mark)} />
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-medium text-ink">
          <span className="sr-only">{word}: </span>
          {title}
        </p>
        {children && <div className="mt-0.5 text-ink">{children}</div>}
      </div>
      {actions && <div className="flex shrink-0 flex-wrap gap-2">{actions}</div>}
    </div>
  );
}
