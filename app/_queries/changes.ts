import { focusManager, queryOptions } from "@tanstack/react-query";
import { apiGet } from "#app/_queries/client.ts";

const LOOKING_MS = 2_500;
/** Nobody looks. */
const CALM_MS = 30_000;
const SILENT_MS = 5_000;
/** An answer that takes longer is none: so it is where the database hangs. */
const PATIENCE_MS = 10_000;

/**
 * A version that changes whenever numbers or timelines may have changed. One failure disturbs nobody; two in a row mean that
 * nothing newer than what is shown can be known (`useSilence`).
 */
export const changesQuery = () =>
  queryOptions({
    queryKey: ["changes"],
    queryFn: ({ signal }) =>
      apiGet<{ version: string }>("/api/v1/changes", {}, AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])),
    staleTime: 0,
    retry: 1,
    retryDelay: 1_000,
    refetchIntervalInBackground: true,
    refetchInterval: ({ state }) => {
      if (!focusManager.isFocused()) return CALM_MS;
      return state.status === "error" ? SILENT_MS : LOOKING_MS;
    },
  });
