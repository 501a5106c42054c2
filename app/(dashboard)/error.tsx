"use client";

import { ErrorState } from "../_ui/error-state.tsx";
import { Screen } from "./_frame/screen.tsx";

export default function DashboardError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <Screen title="Something went wrong">
      <ErrorState title="This screen could not be shown" error={error} onRetry={reset}>
        The other screens still work.
        {error.digest && <> For the administrator: the server's log names this failure {error.digest}.</>}
      </ErrorState>
    </Screen>
  );
}
