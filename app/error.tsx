"use client";

import { PageError } from "./_ui/page-error.tsx";

export default function ErrorPage({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <main>
      <h1 className="sr-only">Something went wrong</h1>
      <PageError title="This page could not be shown" error={error} onRetry={reset} />
    </main>
  );
}
