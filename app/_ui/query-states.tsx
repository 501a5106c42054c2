"use client";

import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { cn } from "./class-names.ts";
import { ErrorState, reasonOf } from "./error-state.tsx";
import { Notice } from "./notice.tsx";
import { RelativeTime } from "./relative-time.tsx";

/** What is read of a TanStack Query result; a plain object of this shape serves as well. */
export type QueryLike<Value> = {
  data: Value | undefined;
  error: unknown;
  isFetching: boolean;
  isPlaceholderData?: boolean;
  dataUpdatedAt?: number;
  refetch: () => unknown;
};

type QueryStatesProps<Value> = {
  query: QueryLike<Value>;
  /** The final shape in grey. */
  skeleton: ReactNode;
  /** What is being loaded, for the sentences: "the accounts". */
  what: string;
  /** Shown instead of `children` when `isEmpty` says so; the caller knows which of the four emptinesses it is. */
  empty?: ReactNode;
  isEmpty?: (value: Value) => boolean;
  children: (value: Value, state: { stale: boolean }) => ReactNode;
  className?: string;
};

/**
 * The states of a query, each told apart: waiting, failed, empty, there, there but old. Old values stay visible:
 * dimmed while those of a new question come, under a warning with their age when a refresh failed.
 */
export function QueryStates<Value>({
  query,
  skeleton,
  what,
  empty,
  isEmpty,
  children,
  className,
}: QueryStatesProps<Value>) {
  const { data: value, error, isFetching, isPlaceholderData = false } = query;
  const retry = () => void query.refetch();

  if (value === undefined) {
    if (error) {
      return <ErrorState title={`Could not load ${what}`} error={error} onRetry={retry} retrying={isFetching} />;
    }
    return (
      <div role="status" aria-busy="true" className={className}>
        <span className="sr-only">Loading {what}…</span>
        {skeleton}
      </div>
    );
  }

  const stale = isPlaceholderData || Boolean(error);
  return (
    <div aria-busy={isFetching} className={className}>
      {Boolean(error) && (
        <Notice
          kind="warning"
          announce
          className="mb-3"
          title={`Could not refresh ${what}: ${reasonOf(error)}`}
          actions={
            <Button size="sm" onClick={retry} busy={isFetching}>
              Try again
            </Button>
          }
        >
          What you see is from{" "}
          {query.dataUpdatedAt ? <RelativeTime at={new Date(query.dataUpdatedAt)} /> : "an earlier time"}.
        </Notice>
      )}
      {isPlaceholderData && (
        <p role="status" className="sr-only">
          Loading {what}; the earlier ones are shown meanwhile.
        </p>
      )}
      <div data-stale={stale || undefined} className={cn(isPlaceholderData && "opacity-60")}>
        {isEmpty?.(value) && empty ? empty : children(value, { stale })}
      </div>
    </div>
  );
}
