"use client";

import type { ReactNode } from "react";
import { Button } from "../button.tsx";
import { reasonOf } from "../error-state.tsx";
import { useLocale } from "../locale.tsx";
import { formatNumber } from "../num.tsx";

type TableFooterProps = {
  nouns: readonly [string, string];
  loaded: number;
  total?: number | null;
  hasMore?: boolean;
  waiting: boolean;
  fetchingMore?: boolean;
  stale?: boolean;
  onSortAgain?: () => void;
  error?: unknown;
  onRetry?: () => void;
  retrying?: boolean;
  asOf?: ReactNode;
};

/** How many rows, how old, and what is going on. */
export function TableFooter(props: TableFooterProps) {
  const { loaded, error, stale } = props;
  return (
    <footer className="flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1 border-t border-line px-4 py-1 text-small text-muted">
      <span role="status" className="tabular-nums">
        <Count {...props} />
        {stale && " · from the question before; the new ones are loading"}
      </span>
      {props.onSortAgain && (
        <span className="flex items-center gap-2">
          The order has changed.
          <Button size="sm" variant="ghost" className="-my-1" onClick={props.onSortAgain}>
            Sort again
          </Button>
        </span>
      )}
      {Boolean(error) && loaded > 0 && (
        <span role="alert" className="flex items-center gap-2 text-bad">
          Could not load the {props.nouns[1]}: {reasonOf(error)} What is shown stays usable.
          {props.onRetry && (
            <Button size="sm" onClick={props.onRetry} busy={props.retrying}>
              Try again
            </Button>
          )}
        </span>
      )}
      {props.asOf && <span className="ms-auto">{props.asOf}</span>}
    </footer>
  );
}

function Count({ nouns, loaded, total, hasMore, waiting, error }: TableFooterProps) {
  const locale = useLocale();
  if (waiting) return <>Loading {nouns[1]}…</>;
  if (error && loaded === 0) return <>{nouns[1]} unknown</>;
  const sum = total ?? (hasMore ? null : loaded);
  if (sum === null) return <>{`${formatNumber(loaded, locale)} ${nouns[1]} so far`}</>;
  return <>{`${formatNumber(sum, locale)} ${sum === 1 ? nouns[0] : nouns[1]}`}</>;
}
