"use client";

import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { cn } from "./class-names.ts";

type ErrorStateProps = {
  /** What could not be done: "The list could not be loaded". */
  title?: string;
  /** The reason; an Error's message is shown as it stands. */
  error: unknown;
  onRetry?: () => void;
  retrying?: boolean;
  /** What still works. */
  children?: ReactNode;
  className?: string;
};

/** A load that failed: the reason, a way to try again, and what still works. Never looks like "nothing here". */
export function ErrorState({
  title = "This could not be loaded",
  error,
  onRetry,
  retrying = false,
  children,
  className,
}: ErrorStateProps) {
  return (
    <div role="alert" className={cn("flex flex-col items-center gap-2 px-4 py-10 text-center", className)}>
      <CircleAlert aria-hidden className="size-5 text-bad" />
      <p className="text-body font-medium">{title}</p>
      <p className="max-w-[60ch] text-table text-muted">{reasonOf(error)}</p>
      {children && <div className="max-w-[60ch] text-table text-muted">{children}</div>}
      {onRetry && (
        <Button className="mt-2" onClick={onRetry} busy={retrying}>
          {!retrying && <RotateCw aria-hidden />}
          Try again
        </Button>
      )}
    </div>
  );
}

/** The sentence that an error has for a reader. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.message) return error.message;
  return "The reason is not known. Try again; if it stays, tell an administrator.";
}
