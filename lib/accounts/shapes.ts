import { z } from "zod";
import { id, instant, listOf, listQuery } from "#lib/api/shapes.ts";
import { accountMetrics, metricKeys } from "#lib/metrics/shapes.ts";

/** One row of a bulk upsert or of a CSV. Rows are judged one by one (`lib/accounts/upsert`), so this stays loose. */
export const accountRow = z.object({
  externalId: z.string(),
  name: z.string(),
  ownerEmail: z.string().nullable().optional(),
  attributes: z.record(z.string(), z.string()).optional(),
});
export type AccountRow = z.infer<typeof accountRow>;

export const bulkBody = z.object({ accounts: z.array(z.unknown()).max(5000, "takes at most 5,000 accounts a call") });

export const bulkAnswer = z.object({
  created: z.number().int(),
  updated: z.number().int(),
  unchanged: z.number().int(),
  rejected: z.array(
    z.object({
      index: z.number().int(),
      /** Line of the file, counted from 1 (the header); CSV import only. */
      line: z.number().int().optional(),
      externalId: z.string().nullable(),
      message: z.string(),
    }),
  ),
  /** How many rows were rejected, where there are more than the 10,000 that are listed. */
  rejectedRows: z.number().int().optional(),
});
export type BulkAnswer = z.infer<typeof bulkAnswer>;

export const accountOwner = z.object({ email: z.string(), name: z.string().nullable() });

export const accountItem = z.object({
  id,
  externalId: z.string(),
  name: z.string(),
  owner: accountOwner.nullable(),
  attributes: z.record(z.string(), z.string()),
  organizations: z.number().int(),
  metrics: accountMetrics,
  /** Tickets created in each of the last 12 weeks, oldest first: the sparkline of a row. */
  trend: z.array(z.number().int()),
});
export type AccountItem = z.infer<typeof accountItem>;

const sortKeys = ["name", ...metricKeys] as const;
export const accountSort = z.enum(sortKeys.flatMap((key) => [key, `-${key}`] as const));
export type AccountSort = z.infer<typeof accountSort>;

export const accountsQuery = listQuery.extend({
  windowDays: z.coerce.number().int().optional(),
  sort: accountSort.default("name"),
  q: z.string().max(200).optional(),
  ownerEmail: z.string().max(320).optional(),
  externalId: z.string().max(2500).optional(),
  /** Ids of the columns of the CSV, in order (comma separated); absent: the usual ones. */
  columns: z.string().max(4000).optional(),
  format: z.enum(["json", "csv"]).default("json"),
});
export type AccountsQuery = z.infer<typeof accountsQuery>;
/** `total` counts the accounts that the filter meets. */
export const accountList = listOf(accountItem).extend({ total: z.number().int() });

/** How far the numbers can be trusted: the oldest stream decides, and those behind are named. */
export const freshness = z.object({
  freshThrough: instant.nullable(),
  verifiedAt: instant.nullable(),
  streams: z.array(
    z.object({
      connectionId: id,
      connection: z.string(),
      name: z.string(),
      state: z.string(),
      freshThrough: instant.nullable(),
    }),
  ),
});
export type Freshness = z.infer<typeof freshness>;
export const accountAnswer = accountItem.extend({ freshness });
export type AccountAnswer = z.infer<typeof accountAnswer>;

/** People who own accounts, for the owner filter; `name` is null until that person has joined. */
export const ownerItem = accountOwner.extend({ accounts: z.number().int() });
export const ownerList = listOf(ownerItem);

export const accountOrganization = z.object({
  connectionId: id,
  organizationId: z.string(),
  name: z.string().nullable(),
  externalId: z.string().nullable(),
  domainNames: z.array(z.string()),
  tickets: z.number().int(),
  reason: z.string(),
  url: z.string(),
});
export const accountOrganizationList = listOf(accountOrganization);
