import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { apiGet, apiPath, apiSend } from "#app/_queries/client.ts";
import type { AccountAnswer, AccountItem, AccountSort, BulkAnswer } from "#lib/accounts/shapes.ts";
import type { List } from "#lib/api/shapes.ts";
import type { AccountTrend, MetricDefinition, MetricKey, MetricsByWindow } from "#lib/metrics/shapes.ts";
import type { PersonItem } from "#lib/people/shapes.ts";
import type { TicketItem } from "#lib/reports/shapes.ts";
import type { FeedEntry, TimelineEntry, TimelineKind } from "#lib/timeline/shapes.ts";

export interface PortfolioFilters {
  windowDays: number | undefined;
  sort: AccountSort;
  q: string;
  ownerEmail: string;
}
export interface TicketFilters {
  metric: MetricKey | undefined;
  windowDays: number | undefined;
  asOf?: string | undefined;
}
export interface TimelineFilters {
  kinds: TimelineKind[];
  priority: "top" | "all";
}
const PAGE_ROWS = 100;

export type AccountPage = List<AccountItem> & { total: number };
export type TicketPage = List<TicketItem> & { total: number };
type Owner = { email: string; name: string | null; accounts: number };
type Organization = {
  connectionId: string;
  organizationId: string;
  name: string | null;
  externalId: string | null;
  domainNames: string[];
  tickets: number;
  reason: string;
  url: string;
};

const root = ["accounts"] as const;

/** Everything the browser asks about accounts: key and fetcher stand together, the key is the filters. */
export const accountQueries = {
  all: () => root,
  portfolio: (filters: PortfolioFilters) =>
    infiniteQueryOptions({
      queryKey: [...root, "portfolio", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<AccountPage>("/api/v1/accounts", { ...filters, limit: PAGE_ROWS, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
    }),
  one: (id: string, windowDays: number | undefined) =>
    queryOptions({
      queryKey: [...root, id, "account", windowDays],
      queryFn: ({ signal }) => apiGet<AccountAnswer>(`/api/v1/accounts/${id}`, { windowDays }, signal),
    }),
  metrics: (id: string) =>
    queryOptions({
      queryKey: [...root, id, "metrics"],
      queryFn: ({ signal }) => apiGet<MetricsByWindow>(`/api/v1/accounts/${id}/metrics`, {}, signal),
    }),
  trend: (id: string, weeks: number) =>
    queryOptions({
      queryKey: [...root, id, "trend", weeks],
      queryFn: ({ signal }) => apiGet<AccountTrend>(`/api/v1/accounts/${id}/trend`, { weeks }, signal),
    }),
  timeline: (id: string, filters: TimelineFilters) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "timeline", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<TimelineEntry>>(
          `/api/v1/accounts/${id}/timeline`,
          { kinds: filters.kinds.join(","), priority: filters.priority, limit: 50, cursor: pageParam },
          signal,
        ),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
    }),
  tickets: (id: string, filters: TicketFilters) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "tickets", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<TicketPage>(
          `/api/v1/accounts/${id}/tickets`,
          { ...filters, limit: PAGE_ROWS, cursor: pageParam },
          signal,
        ),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
    }),
  people: (id: string, q: string) =>
    infiniteQueryOptions({
      queryKey: [...root, id, "people", q],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<PersonItem>>(`/api/v1/accounts/${id}/people`, { q, limit: PAGE_ROWS, cursor: pageParam }, signal),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
    }),
  organizations: (id: string) =>
    queryOptions({
      queryKey: [...root, id, "organizations"],
      queryFn: ({ signal }) =>
        apiGet<List<Organization>>(`/api/v1/accounts/${id}/organizations`, { limit: 500 }, signal),
    }),
  /** The first few accounts whose name or external id holds the text. */
  byName: (q: string) =>
    queryOptions({
      queryKey: [...root, "by-name", q],
      queryFn: ({ signal }) => apiGet<AccountPage>("/api/v1/accounts", { q, sort: "name", limit: 8 }, signal),
    }),
  owners: () =>
    queryOptions({
      queryKey: ["owners"],
      queryFn: ({ signal }) => apiGet<List<Owner>>("/api/v1/owners", { limit: 500 }, signal),
    }),
  feeds: () => ["feed"] as const,
  feed: (filters: TimelineFilters & { ownerEmail: string }) =>
    infiniteQueryOptions({
      queryKey: ["feed", filters],
      queryFn: ({ pageParam, signal }) =>
        apiGet<List<FeedEntry>>(
          "/api/v1/feed",
          {
            kinds: filters.kinds.join(","),
            priority: filters.priority,
            ownerEmail: filters.ownerEmail,
            limit: 40,
            cursor: pageParam,
          },
          signal,
        ),
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.nextCursor,
      refetchInterval: 60_000,
    }),
  dictionary: () =>
    queryOptions({
      queryKey: ["metrics", "dictionary"],
      queryFn: ({ signal }) => apiGet<List<MetricDefinition>>("/api/v1/metrics/dictionary", {}, signal),
      staleTime: Number.POSITIVE_INFINITY,
    }),
};

/** The address of the CSV that shows exactly what the table shows: the same filters, columns and order. */
export function portfolioCsv(filters: PortfolioFilters & { columns: string }): string {
  return apiPath("/api/v1/accounts", { ...filters, format: "csv" });
}

/** The address of the CSV of exactly the tickets behind a number. */
export function ticketsCsv(id: string, filters: TicketFilters): string {
  return apiPath(`/api/v1/accounts/${id}/tickets`, { ...filters, format: "csv" });
}

/** Upserts accounts from a CSV file; the answer names every rejected line. */
export function importAccounts(file: File): Promise<BulkAnswer> {
  return apiSend<BulkAnswer>("POST", "/api/v1/accounts/import", new Blob([file], { type: "text/csv" }));
}
