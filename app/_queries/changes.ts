import { focusManager, queryOptions } from "@tanstack/react-query";
import { apiGet, givingUpAfter } from "#app/_queries/client.ts";

const LOOKING_MS = 2_500;
/** Nobody looks. */
const CALM_MS = 30_000;
const SILENT_MS = 5_000;
/** An answer that takes longer is none: so it is where the database hangs. */
const PATIENCE_MS = 10_000;
const SECOND_TRY_MS = 1_000;

const ask = (signal: AbortSignal) =>
  apiGet<{ version: string }>("/api/v1/changes", {}, givingUpAfter(PATIENCE_MS, signal));

/**
 * A version that changes whenever numbers or timelines may have changed. One failure disturbs nobody; two in a row mean that
 * nothing newer than what is shown can be known (`useSilence`).
 */
export const changesQuery = () =>
  queryOptions({
    queryKey: ["changes"],
    queryFn: ({ signal }) =>
      ask(signal).catch(async (error: unknown) => {
        if (signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, SECOND_TRY_MS));
        return ask(signal);
      }),
    staleTime: 0,
    // A retry of the library's waits for as long as nobody looks, and what is asked meanwhile with it.
    retry: false,
    // A device without a network gets no answer either, and says so.
    networkMode: "always",
    refetchIntervalInBackground: true,
    refetchInterval: ({ state }) => {
      if (!focusManager.isFocused()) return CALM_MS;
      return state.status === "error" ? SILENT_MS : LOOKING_MS;
    },
  });
