"use client";

import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useCallback } from "react";
import { type MetricKey, metricKeys } from "#lib/metrics/shapes.ts";

const parsers = { number: parseAsStringLiteral(metricKeys), of: parseAsString };

/** The number whose tickets are open, in the URL (`?number=topUnsolved&of=12`): Back closes it, a link opens it. */
export function useOpenNumber() {
  const [{ number, of }, set] = useQueryStates(parsers);
  const open = useCallback(
    (metric: MetricKey, accountId: string | null = null) =>
      void set({ number: metric, of: accountId }, { history: "push" }),
    [set],
  );
  const close = useCallback(() => void set({ number: null, of: null }), [set]);
  return { metric: number, accountId: of, open, close };
}
