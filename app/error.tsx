"use client";

import { ErrorState } from "./_ui/error-state.tsx";

export default function ErrorPage({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <main>
      <h1 className="sr-only">Something went wrong</h1>
      <ErrorState title="This page could not be shown" error={error} onRetry={reset}>
        {error.digest && <>For the administrator: the server's log names this failure {error.digest}.</>}
      </ErrorState>
    </main>
  );
}
