import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { apiGet, apiPath, apiSend } from "#app/_queries/client.ts";
import type { List } from "#lib/api/shapes.ts";
import type {
  Connection,
  ConnectionBody,
  ConnectionPatch,
  CustomFieldList,
  FieldSubject,
  HeldRow,
  heldDecisionBody,
  heldRetryBody,
  ReconnectBody,
  Run,
  StreamName,
  SyncMode,
} from "#lib/connections/shapes.ts";
import type {
  DecisionBody,
  DecisionImport,
  MatchKey,
  MatchPreview,
  MatchState,
  OrganizationItem,
} from "#lib/matching/shapes.ts";

export type { HeldRow } from "#lib/connections/shapes.ts";

type NewConnection = Partial<ConnectionBody> & Pick<ConnectionBody, "kind" | "subdomain" | "auth">;
export interface OrganizationFilters {
  state: MatchState;
  q: string;
}

const root = ["connections"] as const;
/** The API's address of one connection. */
export const connectionPath = (id: string) => `/api/v1/connections/${id}`;
const CALM_MS = 30_000;
/** What nobody waits for by the second. */
const QUIET_MS = 10_000;
const BUSY_MS = 3_000;
/** A workspace has a handful of connections: one page holds them all. */
const MOST = 500;

/** Everything the browser asks about connections: key and fetcher stand together. */
export const connectionQueries = {
  all: () => root,
  list: () =>
    queryOptions({
      queryKey: [...root, "list"],
      queryFn: ({ signal }) => apiGet<List<Connection>>("/api/v1/connections", { limit: MOST }, signal),
      refetchInterval: ({ state }) => (state.data?.items.some(isReading) ? BUSY_MS : CALM_MS),
    }),
  one: (id: string) =>
    queryOptions({
      queryKey: [...root, "one", id],
      queryFn: ({ signal }) => apiGet<Connection>(connectionPath(id), {}, signal),
      refetchInterval: ({ state }) => (state.data && isReading(state.data) ? BUSY_MS : CALM_MS),
    }),
  runs: (id: string) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "runs"],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<Run>>(`${connectionPath(id)}/runs`, { limit: 20, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
      refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some(isLive) ? BUSY_MS : CALM_MS),
    }),
  held: (id: string, stream: StreamName | null) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "held", stream],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<HeldRow>>(`${connectionPath(id)}/held`, { stream, limit: 50, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
      refetchInterval: QUIET_MS,
    }),
  customFields: (id: string, subject: FieldSubject) =>
    queryOptions({
      queryKey: [...root, id, "fields", subject],
      queryFn: ({ signal }) =>
        apiGet<CustomFieldList>(`${connectionPath(id)}/fields`, { subject, limit: MOST }, signal),
    }),
  matchKeys: (id: string) =>
    queryOptions({
      queryKey: [...root, id, "match-keys"],
      queryFn: ({ signal }) => apiGet<{ keys: MatchKey[] }>(`${connectionPath(id)}/match-keys`, {}, signal),
    }),
  preview: (id: string, keys: readonly MatchKey[]) =>
    queryOptions({
      queryKey: [...root, id, "match-keys", "preview", keys],
      queryFn: ({ signal }) => previewMatchKeys(id, keys, signal),
    }),
  organizations: (id: string, filters: OrganizationFilters) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "organizations", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<OrganizationItem>>(
          `${connectionPath(id)}/organizations`,
          { ...filters, limit: 50, cursor: pageParam },
          signal,
        ),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
    }),
};

export const createConnection = (body: NewConnection) => apiSend<Connection>("POST", "/api/v1/connections", body);

export const patchConnection = (id: string, patch: ConnectionPatch) =>
  apiSend<Connection>("PATCH", connectionPath(id), patch);
export const syncConnection = (id: string, mode: SyncMode) =>
  apiSend<{ runId: string }>("POST", `${connectionPath(id)}/sync`, { mode });
export const disconnectConnection = (id: string) => apiSend<Connection>("POST", `${connectionPath(id)}/disconnect`);
export const reconnectConnection = (id: string, body: ReconnectBody) =>
  apiSend<Connection>("POST", `${connectionPath(id)}/reconnect`, body);
export const retryHeldRows = (id: string, which: z.infer<typeof heldRetryBody>) =>
  apiSend<{ released: number; held: number }>("POST", `${connectionPath(id)}/held/retry`, which);
export const setHeldRowAside = (id: string, decision: z.infer<typeof heldDecisionBody>) =>
  apiSend<HeldRow>("POST", `${connectionPath(id)}/held/set-aside`, decision);
/** The whole text of a held row of which the list has the beginning. */
export async function heldText(id: string, { stream, key }: Pick<HeldRow, "stream" | "key">): Promise<string> {
  const { items } = await apiGet<List<HeldRow>>(`${connectionPath(id)}/held`, { stream, key });
  if (!items[0]) throw new Error("The row is no longer held.");
  return items[0].payload;
}
export const archiveConnection = (id: string) => apiSend<Connection>("POST", `${connectionPath(id)}/archive`);
export const deleteConnection = (id: string, data: "keep" | "purge") =>
  apiSend("DELETE", connectionPath(id), undefined, { params: { data } });
export const putMatchKeys = (id: string, keys: readonly MatchKey[]) =>
  apiSend<MatchPreview>("PUT", `${connectionPath(id)}/match-keys`, { keys });
const previewMatchKeys = (id: string, keys: readonly MatchKey[], signal: AbortSignal) =>
  apiSend<MatchPreview>("POST", `${connectionPath(id)}/match-keys/preview`, { keys }, { signal });
export const decideMatch = (id: string, organizationId: string, decision: DecisionBody) =>
  apiSend<OrganizationItem>("PUT", `${connectionPath(id)}/organizations/${organizationId}/match`, decision);
export const takeBackMatch = (id: string, organizationId: string) =>
  apiSend<OrganizationItem>("DELETE", `${connectionPath(id)}/organizations/${organizationId}/match`);
export const importDecisions = (id: string, file: File) =>
  apiSend<DecisionImport>("POST", `${connectionPath(id)}/organizations/import`, new Blob([file], { type: "text/csv" }));
export const organizationsCsv = (id: string, filters: OrganizationFilters) =>
  apiPath(`${connectionPath(id)}/organizations`, { ...filters, format: "csv" });
export const oauthStart = (subdomain: string, access: string, connectionId?: string) =>
  apiPath("/api/v1/connections/oauth/start", { subdomain, access, connectionId });
/** The same sign-in once more, with the word that another person's login is meant. */
export const oauthConfirm = (connectionId: string, access: "read" | "read_write") =>
  apiPath("/api/v1/connections/oauth/start", { connectionId, access, confirmLogin: "1" });

/** Whether a run is at work on the connection, so that its progress is worth following. */
function isReading({ streams }: Connection): boolean {
  return streams.some(({ state }) => state === "running" || state === "waiting");
}

/** Whether a run has not ended yet. */
export function isLive({ state }: Run): boolean {
  return state === "queued" || state === "running" || state === "waiting";
}
