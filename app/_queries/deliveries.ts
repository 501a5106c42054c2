import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import type { List } from "#lib/api/shapes.ts";
import type {
  CommandKind,
  Delivery,
  DeliveryDetail,
  DeliveryState,
  exchange,
  reasonList,
  replayable,
  replayBody,
  replayed,
} from "#lib/destinations/shapes.ts";

export type Exchange = z.infer<typeof exchange>;
export type Reasons = z.infer<typeof reasonList>;
export type Replayable = z.infer<typeof replayable>;
export type Replayed = z.infer<typeof replayed>;
export type ReplayBody = z.infer<typeof replayBody>;
export interface DeliveryFilters {
  state: DeliveryState | null;
  action: CommandKind | null;
  destinationId: string | null;
  /** The code of the reason. */
  code: string | null;
  /** A code that is left out. */
  exceptCode: string | null;
  messageId: string | null;
  q: string;
}

const root = ["deliveries"] as const;
const base = "/api/v1/deliveries";
const LIVE_MS = 3_000;
const CALM_MS = 10_000;
const PAGE_ROWS = 50;
const LIVE_PAGES = 3;

const isOpen = ({ state, dueAt }: Delivery) =>
  state === "queued" || state === "sending" || (state === "unknown" && dueAt !== null);

export const deliveryQueries = {
  all: () => root,
  /** Newest first; what was loaded is asked again every few seconds. */
  list: (filters: DeliveryFilters) =>
    infiniteQueryOptions({
      queryKey: [...root, "list", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<Delivery>>(base, { ...filters, limit: PAGE_ROWS, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
      refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) > LIVE_PAGES ? CALM_MS : LIVE_MS),
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: [...root, "one", id],
      queryFn: ({ signal }) => apiGet<DeliveryDetail>(`${base}/${id}`, {}, signal),
      refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? LIVE_MS : CALM_MS),
    }),
  /** The codes that can be chosen among what the other filters leave. */
  reasons: ({ code: _, ...others }: DeliveryFilters) =>
    queryOptions({
      queryKey: [...root, "reasons", others],
      queryFn: ({ signal }) => apiGet<Reasons>(`${base}/reasons`, { ...others }, signal),
      refetchInterval: CALM_MS,
    }),
  /** How many a replay of all that the filters leave would take up: what a person is asked about before. */
  count: (filters: DeliveryFilters) =>
    queryOptions({
      queryKey: [...root, "count", filters],
      queryFn: ({ signal }) => apiGet<Replayable>(`${base}/replay`, { ...filters }, signal),
      staleTime: 0,
      placeholderData: undefined,
    }),
};

export const replayDeliveries = (which: ReplayBody) => apiSend<Replayed>("POST", `${base}/replay`, which);
/** With the code that the person has read: what is held for another reason meanwhile is refused. */
export const approveDelivery = ({ id, code }: Pick<Delivery, "id" | "code">) =>
  apiSend<Delivery>("POST", `${base}/${id}/approve`, { code });
export const discardDelivery = ({ id, code }: Pick<Delivery, "id" | "code">) =>
  apiSend<Delivery>("POST", `${base}/${id}/discard`, { code });
