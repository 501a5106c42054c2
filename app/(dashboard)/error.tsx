"use client";

import { PageError } from "../_ui/page-error.tsx";
import { Screen } from "./_frame/screen.tsx";

export default function DashboardError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <Screen title="Something went wrong">
      <PageError title="This screen could not be shown" error={error} onRetry={reset}>
        The other screens still work.
      </PageError>
    </Screen>
  );
}
