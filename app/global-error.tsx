"use client";

import "./globals.css";
import { ErrorState } from "./_ui/error-state.tsx";

/** Stands in for the root layout when that itself fails, so it brings its own document. */
export default function GlobalError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <html lang="en">
      <body>
        <title>Something went wrong · Bellwether</title>
        <main>
          <h1 className="sr-only">Something went wrong</h1>
          {error.digest ? (
            <ErrorState
              title="The product could not be shown"
              error={new Error("The server failed while it made this page.")}
              onRetry={() => location.reload()}
            >
              For the administrator: the server’s log names this failure {error.digest}.
            </ErrorState>
          ) : (
            <ErrorState title="The product could not be shown" error={error} onRetry={reset} />
          )}
        </main>
      </body>
    </html>
  );
}
