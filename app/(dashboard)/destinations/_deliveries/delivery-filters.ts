"use client";

import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useCallback, useMemo } from "react";
import type { DeliveryFilters } from "#app/_queries/deliveries.ts";
import { commandKinds, deliveryStates } from "#lib/destinations/shapes.ts";

const parsers = {
  q: parseAsString.withDefault(""),
  state: parseAsStringLiteral(deliveryStates),
  action: parseAsStringLiteral(commandKinds),
  destination: parseAsString,
  code: parseAsString,
  message: parseAsString,
};
const none = { q: null, state: null, action: null, destination: null, code: null, message: null };

/** The filters of the delivery log, in the URL; the log of one destination has that one fixed. */
export function useDeliveryFilters(fixedDestination?: string) {
  const [{ q, state, action, destination, code, message }, set] = useQueryStates(parsers);
  const destinationId = fixedDestination ?? destination;
  const filters = useMemo(
    (): DeliveryFilters => ({ q, state, action, destinationId, code, messageId: message }),
    [q, state, action, destinationId, code, message],
  );
  const change = useCallback(
    (next: Partial<Record<keyof typeof parsers, string | null>>) => {
      // What a select offers is what the parsers know.
      void set(next as Partial<typeof none>);
    },
    [set],
  );
  const search = useCallback((text: string) => change({ q: text || null }), [change]);
  const clear = useCallback(() => change(none), [change]);
  const filtered = Boolean(q || state || action || code || message || (destination && !fixedDestination));
  return { filters, filtered, change, search, clear };
}
