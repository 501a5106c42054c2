import { queryOptions } from "@tanstack/react-query";
import { apiGet } from "#app/_queries/client.ts";

const LOOK_AGAIN_MS = 5_000;

/** Whether the server can answer at all: with a database that it reaches. Asked by screens that could not be made. */
export const readinessQuery = () =>
  queryOptions({
    queryKey: ["readiness"],
    queryFn: ({ signal }) =>
      apiGet<{ status: string }>(
        "/api/health/ready",
        {},
        AbortSignal.any([signal, AbortSignal.timeout(2 * LOOK_AGAIN_MS)]),
      ),
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchInterval: LOOK_AGAIN_MS,
  });
