import { queryOptions } from "@tanstack/react-query";
import { apiGet, givingUpAfter } from "#app/_queries/client.ts";

const LOOK_AGAIN_MS = 5_000;
const PATIENCE_MS = 10_000;

/**
 * Why the server can answer nothing just now, or null where it is ready, with a database that it reaches. Asked by screens that
 * could not be made. A reason is an answer, not a failure: it stays while it is asked again.
 */
export const readinessQuery = () =>
  queryOptions({
    queryKey: ["readiness"],
    queryFn: ({ signal }): Promise<Error | null> =>
      apiGet("/api/health/ready", {}, givingUpAfter(PATIENCE_MS, signal)).then(
        () => null,
        (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
      ),
    staleTime: 0,
    gcTime: 0,
    structuralSharing: false,
    networkMode: "always",
    refetchInterval: LOOK_AGAIN_MS,
  });
