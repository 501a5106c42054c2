import { focusManager, queryOptions } from "@tanstack/react-query";
import { apiGet } from "#app/_queries/client.ts";

const LOOKING_MS = 2_500;
/** Nobody looks, or the server does not answer. */
const CALM_MS = 30_000;

/** A version that changes whenever numbers or timelines may have changed. A failure disturbs nobody: it is asked again. */
export const changesQuery = () =>
  queryOptions({
    queryKey: ["changes"],
    queryFn: ({ signal }) => apiGet<{ version: string }>("/api/v1/changes", {}, signal),
    staleTime: 0,
    retry: false,
    refetchIntervalInBackground: true,
    refetchInterval: ({ state }) => (state.status === "error" || !focusManager.isFocused() ? CALM_MS : LOOKING_MS),
  });
