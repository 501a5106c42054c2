import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import type { List } from "#lib/api/shapes.ts";
import type {
  Action,
  actionBody,
  actionsBody,
  Destination,
  destinationBody,
  destinationPatch,
  dryRun,
  dryRunBody,
  preview,
  previewBody,
  sampleEvent,
  testAnswer,
  writeBack,
  writeBackBody,
} from "#lib/destinations/shapes.ts";

export type ActionBody = z.infer<typeof actionBody>;
export type DestinationBody = z.input<typeof destinationBody>;
export type DestinationPatch = z.infer<typeof destinationPatch>;
export type DryRun = z.infer<typeof dryRun>;
export type Preview = z.infer<typeof preview>;
export type PreviewBody = z.input<typeof previewBody>;
export type PreviewItem = Preview["items"][number];
export type TestAnswer = z.infer<typeof testAnswer>;
export type WriteBack = z.infer<typeof writeBack>;
export type WriteBackRule = WriteBack["rules"][number];
export type SampleEvent = z.infer<typeof sampleEvent>;

const root = ["destinations"] as const;
const base = "/api/v1/destinations";
const of = (id: string) => `${base}/${id}`;
const BUSY_MS = 3_000;
const CALM_MS = 10_000;
/** A workspace has a handful of destinations: one page holds them all. */
const MOST = 500;

const isBusy = ({ state, deliveries }: Destination) => state === "on" && deliveries.queued > 0;

export const destinationQueries = {
  all: () => root,
  list: () =>
    queryOptions({
      queryKey: [...root, "list"],
      queryFn: ({ signal }) => apiGet<List<Destination>>(base, { limit: MOST }, signal),
      refetchInterval: ({ state }) => (state.data?.items.some(isBusy) ? BUSY_MS : CALM_MS),
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: [...root, "one", id],
      queryFn: ({ signal }) => apiGet<Destination>(of(id), {}, signal),
      refetchInterval: ({ state }) => (state.data && isBusy(state.data) ? BUSY_MS : CALM_MS),
    }),
  actions: (id: string) =>
    queryOptions({
      queryKey: [...root, id, "actions"],
      queryFn: ({ signal }) => apiGet<Action[]>(`${of(id)}/actions`, {}, signal),
    }),
  versions: (id: string) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "versions"],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<Action>>(`${of(id)}/actions/versions`, { limit: 50, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
    }),
  /** What the actions, saved or not, would make of an event. */
  preview: (id: string, body: PreviewBody) =>
    queryOptions({
      queryKey: [...root, id, "preview", body],
      queryFn: ({ signal }) => apiSend<Preview>("POST", `${of(id)}/actions/preview`, body, { signal }),
    }),
  writeBack: (id: string) =>
    queryOptions({
      queryKey: [...root, id, "write-back"],
      queryFn: ({ signal }) => apiGet<WriteBack>(`${of(id)}/write-back`, {}, signal),
    }),
};

export const createDestination = (body: DestinationBody) => apiSend<Destination>("POST", base, body);
export const patchDestination = (id: string, patch: DestinationPatch) => apiSend<Destination>("PATCH", of(id), patch);
export const deleteDestination = (id: string) => apiSend("DELETE", of(id));
export const stopDestination = (id: string) => apiSend<Destination>("POST", `${of(id)}/stop`);
export const startDestination = (id: string) => apiSend<Destination>("POST", `${of(id)}/start`);
export const testDestination = (id: string, event: SampleEvent) =>
  apiSend<TestAnswer>("POST", `${of(id)}/test`, { event });
export const dryRunDestination = (id: string, body: z.input<typeof dryRunBody>) =>
  apiSend<DryRun>("POST", `${of(id)}/dry-run`, body);
export const putActions = (id: string, actions: z.input<typeof actionsBody>) =>
  apiSend<Action[]>("PUT", `${of(id)}/actions`, actions);
export const putWriteBack = (id: string, body: z.infer<typeof writeBackBody>) =>
  apiSend<WriteBack>("PUT", `${of(id)}/write-back`, body);
