import { infiniteQueryOptions } from "@tanstack/react-query";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import { connectionPath, connectionQueries } from "#app/_queries/connections.ts";
import type { List } from "#lib/api/shapes.ts";
import type { Absence, DriftDay, DriftRow, DriftRun, StreamName } from "#lib/connections/shapes.ts";

export interface DriftDayFilters {
  stream: StreamName | null;
  /** Also the days on which nothing differed. */
  all: boolean;
}
export interface DriftRowFilters {
  stream: StreamName | null;
  /** `YYYY-MM-DD` */
  day: string | null;
}

const root = (id: string) => [...connectionQueries.all(), id, "ledger"] as const;
const of = (id: string) => `${connectionPath(id)}/drift`;
const paged = {
  initialPageParam: null as string | null,
  getNextPageParam: (page: { nextCursor: string | null }) => page.nextCursor,
};

const BUSY_MS = 3_000;
const QUIET_MS = 10_000;
const goesOn = ({ state }: DriftRun) => state === "queued" || state === "running" || state === "waiting";

/** What the checks of the past found, and the stored rows that Zendesk no longer shows. */
export const ledgerQueries = {
  runs: (id: string) =>
    infiniteQueryOptions({
      queryKey: [...root(id), "runs"],
      queryFn: ({ pageParam, signal }) => apiGet<List<DriftRun>>(of(id), { limit: 30, cursor: pageParam }, signal),
      ...paged,
      refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some(goesOn) ? BUSY_MS : QUIET_MS),
    }),
  days: (id: string, runId: string, { stream, all }: DriftDayFilters) =>
    infiniteQueryOptions({
      queryKey: [...root(id), runId, "days", stream, all],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<DriftDay>>(
          `${of(id)}/${runId}/days`,
          { stream, all: all ? "1" : null, limit: 100, cursor: pageParam },
          signal,
        ),
      ...paged,
    }),
  rows: (id: string, runId: string, filters: DriftRowFilters) =>
    infiniteQueryOptions({
      queryKey: [...root(id), runId, "rows", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<DriftRow>>(`${of(id)}/${runId}/rows`, { ...filters, limit: 50, cursor: pageParam }, signal),
      ...paged,
    }),
  absences: (id: string) =>
    infiniteQueryOptions({
      queryKey: [...root(id), "absences"],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<Absence>>(`${connectionPath(id)}/absences`, { limit: 50, cursor: pageParam }, signal),
      ...paged,
      refetchInterval: QUIET_MS,
    }),
};

/** Allows that up to so many absent rows of a stream are gone, if Zendesk does not find them by their id either. */
export const approveAbsences = (id: string, stream: Absence["stream"], ceiling: number) =>
  apiSend<{ runId: string }>("POST", `${connectionPath(id)}/absences/approve`, { stream, ceiling });
