import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import type { List } from "#lib/api/shapes.ts";
import type {
  Event,
  EventType,
  eventDetail,
  Source,
  sourceCreated,
  sourceList,
  sourcePatch,
} from "#lib/sources/shapes.ts";

export type EventDetail = z.infer<typeof eventDetail>;
/** A source with its new write key, which is shown this once. */
export type SourceCreated = z.infer<typeof sourceCreated>;
export interface EventFilters {
  sourceId: string | null;
  type: EventType | null;
  state: "accepted" | "rejected" | null;
  q: string;
}

const root = ["sources"] as const;
const events = ["events"] as const;
const LIVE_MS = 2_500;
const CALM_MS = 10_000;
/** A workspace has a handful of sources: one page holds them all. */
const MOST = 500;
const PAGE_ROWS = 50;
/** Pages that are asked again at the pace of a live view; more of them are asked less often. */
const LIVE_PAGES = 3;

export const sourceQueries = {
  all: () => root,
  list: () =>
    queryOptions({
      queryKey: [...root, "list"],
      queryFn: ({ signal }) => apiGet<List<Source>>("/api/v1/sources", { limit: MOST }, signal),
      refetchInterval: CALM_MS,
    }),
  /** All of them, each with why it cannot be taken there. */
  eligible: (taker: Taker) =>
    queryOptions({
      queryKey: [...root, "eligible", taker],
      queryFn: ({ signal }) => apiGet<z.infer<typeof sourceList>>("/api/v1/sources", { ...taker, limit: MOST }, signal),
      refetchInterval: CALM_MS,
    }),
};

/** The Zendesk that events would be written to, and the destination that would write them, once it is made. */
export interface Taker {
  connectionId: string | null;
  destinationId?: string | undefined;
}

export const eventQueries = {
  all: () => events,
  /** Newest first; what was loaded is asked again every few seconds. */
  list: (filters: EventFilters) =>
    infiniteQueryOptions({
      queryKey: [...events, "list", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<Event>>("/api/v1/events", { ...filters, limit: PAGE_ROWS, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
      refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) > LIVE_PAGES ? CALM_MS : LIVE_MS),
    }),
  /** The newest that an action may be for, when it was asked for: it does not run away while somebody works on it. */
  latest: () =>
    queryOptions({
      queryKey: [...events, "latest"],
      queryFn: async ({ signal }) => {
        const { items } = await apiGet<List<Event>>("/api/v1/events", { state: "accepted", limit: 100 }, signal);
        return items.find(({ type }) => type !== "page" && type !== "screen") ?? items[0] ?? null;
      },
      staleTime: Number.POSITIVE_INFINITY,
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: [...events, "one", id],
      queryFn: ({ signal }) => apiGet<EventDetail>(`/api/v1/events/${id}`, {}, signal),
      refetchInterval: CALM_MS,
    }),
};

const of = (id: string) => `/api/v1/sources/${id}`;

export const createSource = (name: string) => apiSend<SourceCreated>("POST", "/api/v1/sources", { name });
export const patchSource = (id: string, patch: z.infer<typeof sourcePatch>) => apiSend<Source>("PATCH", of(id), patch);
export const deleteSource = (id: string) => apiSend("DELETE", of(id));
export const rotateWriteKey = (id: string, keepMinutes: number) =>
  apiSend<SourceCreated>("POST", `${of(id)}/rotate`, { keepMinutes });
