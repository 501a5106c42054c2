"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { readinessQuery } from "#app/_queries/readiness.ts";
import { ErrorState } from "./error-state.tsx";

type PageErrorProps = {
  title: string;
  error: Error & { digest?: string };
  onRetry: () => void;
  /** What still works. */
  children?: ReactNode;
};

/**
 * A page that could not be made. What the server threw is its own secret: whether it is ready says more, and where it was not,
 * the page comes by itself once it is.
 */
export function PageError({ title, error, onRetry, children }: PageErrorProps) {
  const fromServer = error.digest !== undefined;
  const { data: unready } = useQuery({ ...readinessQuery(), enabled: fromServer });
  const wasUnready = useRef(false);
  useEffect(() => {
    if (unready) wasUnready.current = true;
    else if (unready === null && wasUnready.current) location.reload();
  }, [unready]);
  if (!fromServer) {
    return (
      <ErrorState title={title} error={error} onRetry={onRetry}>
        {children}
      </ErrorState>
    );
  }
  return (
    <ErrorState
      title={title}
      error={unready ?? new Error("The server failed while it made this page.")}
      onRetry={() => location.reload()}
    >
      {unready ? (
        "The page comes by itself as soon as the server is ready again."
      ) : (
        <>
          {children} For the administrator: the server’s log names this failure {error.digest}.
        </>
      )}
    </ErrorState>
  );
}
