"use client";

import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useCallback, useMemo } from "react";
import type { EventFilters } from "#app/_queries/sources.ts";
import { eventTypes } from "#lib/sources/shapes.ts";

const parsers = {
  q: parseAsString.withDefault(""),
  source: parseAsString,
  type: parseAsStringLiteral(eventTypes),
  state: parseAsStringLiteral(["accepted", "rejected"]),
};
const none = { q: null, source: null, type: null, state: null };

/** The filters of the event list, in the URL. */
export function useEventFilters() {
  const [{ q, source, type, state }, set] = useQueryStates(parsers);
  const filters = useMemo((): EventFilters => ({ q, sourceId: source, type, state }), [q, source, type, state]);
  const change = useCallback(
    (next: Partial<Record<keyof typeof parsers, string | null>>) => {
      // What a select offers is what the parsers know.
      void set(next as Partial<typeof none>);
    },
    [set],
  );
  const search = useCallback((text: string) => change({ q: text || null }), [change]);
  const clear = useCallback(() => change(none), [change]);
  return { filters, filtered: Boolean(q || source || type || state), change, search, clear };
}
