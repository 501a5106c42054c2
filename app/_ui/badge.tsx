import type { ReactNode } from "react";
import { cn } from "./class-names.ts";
import { type Status, statusFill, statusIcon, statusText } from "./status.ts";

type BadgeProps = {
  /** Without a status the badge is a plain neutral word. */
  status?: Status;
  /** Replaces the status's own icon. */
  icon?: ReactNode;
  children: ReactNode;
  className?: string;
};

/** A short word on a tinted ground; a status brings its icon, so that colour never speaks alone. */
export function Badge({ status, icon, children, className }: BadgeProps) {
  const Icon = status && statusIcon[status];
  return (
    <span
      className={cn(
        "inline-flex h-5 items-center gap-1 rounded px-1.5 text-small font-medium whitespace-nowrap [&_svg]:size-3.5 [&_svg]:shrink-0",
        status ? statusFill[status] : "bg-hover text-ink",
        className,
      )}
    >
      {icon ?? (Icon && <Icon aria-hidden />)}
      {children}
    </span>
  );
}

type StatusDotProps = { status: Status; children: ReactNode; className?: string };

/** An icon of the status's shape and colour beside its word. */
export function StatusDot({ status, children, className }: StatusDotProps) {
  const Icon = statusIcon[status];
  return (
    <span className={cn("inline-flex items-center gap-1.5 whitespace-nowrap", className)}>
      <Icon aria-hidden className={cn("size-3.5 shrink-0", statusText[status])} />
      {children}
    </span>
  );
}
