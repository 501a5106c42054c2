"use client";

import { parseAsString, parseAsStringLiteral, type UseQueryStatesKeysMap, useQueryStates } from "nuqs";
import { useCallback, useMemo } from "react";
import type { DeliveryFilters } from "#app/_queries/deliveries.ts";
import type { EventFilters } from "#app/_queries/sources.ts";
import { type ShownState, shownStates } from "#app/(dashboard)/destinations/destination-words.ts";
import { commandKinds, discarded } from "#lib/destinations/shapes.ts";
import { eventTypes } from "#lib/sources/shapes.ts";

const ofEvents = {
  q: parseAsString.withDefault(""),
  source: parseAsString,
  type: parseAsStringLiteral(eventTypes),
  state: parseAsStringLiteral(["accepted", "rejected"]),
};
const ofDeliveries = {
  q: parseAsString.withDefault(""),
  state: parseAsStringLiteral(shownStates),
  action: parseAsStringLiteral(commandKinds),
  destination: parseAsString,
  code: parseAsString,
  message: parseAsString,
};

/** The filters of the event list, in the URL. */
export function useEventFilters() {
  const [{ q, source, type, state }, ways] = useFilters(ofEvents);
  const filters = useMemo((): EventFilters => ({ q, sourceId: source, type, state }), [q, source, type, state]);
  return { filters, filtered: Boolean(q || source || type || state), ...ways };
}

/** The filters of the delivery log, in the URL; the log of one destination has that one fixed. */
export function useDeliveryFilters(fixedDestination?: string) {
  const [{ q, state, action, destination, code, message }, ways] = useFilters(ofDeliveries);
  const destinationId = fixedDestination ?? destination;
  const filters = useMemo(
    (): DeliveryFilters => ({ q, action, destinationId, messageId: message, ...standing(state, code) }),
    [q, state, action, destinationId, code, message],
  );
  const filtered = Boolean(q || state || action || code || message || (destination && !fixedDestination));
  return { filters, filtered, ...ways };
}

/** What is failed is a dead letter, but for what somebody has discarded. */
function standing(state: ShownState | null, code: string | null) {
  if (state === discarded) return { state: "failed" as const, code: discarded, exceptCode: null };
  return { state, code, exceptCode: state === "failed" && code !== discarded ? discarded : null };
}

function useFilters<Parsers extends UseQueryStatesKeysMap>(parsers: Parsers) {
  const [values, set] = useQueryStates(parsers);
  const change = useCallback(
    // What a select offers is what the parsers know.
    (next: Partial<Record<keyof Parsers, string | null>>) => void set(next as Parameters<typeof set>[0]),
    [set],
  );
  const search = useCallback((text: string) => void set({ q: text || null } as Parameters<typeof set>[0]), [set]);
  const clear = useCallback(() => void set(null), [set]);
  return [values, { change, search, clear }] as const;
}
