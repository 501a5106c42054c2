import { z } from "zod";
import { day, instant } from "#lib/api/shapes.ts";

/** Answers to ratings received in a window, and their score: a percentage with one decimal, null when nothing was rated. */
export const csat = z.object({
  good: z.number().int(),
  neutral: z.number().int(),
  bad: z.number().int(),
  score: z.number().nullable(),
  /** Why there can be no score: ratings are unavailable or not yet read. Absent where the numbers are complete. */
  reason: z.string().optional(),
});
export type Csat = z.infer<typeof csat>;

export const windowMetrics = z.object({
  ticketsCreated: z.number().int(),
  topCreated: z.number().int(),
  csat,
  topCsat: csat,
});
export type WindowMetrics = z.infer<typeof windowMetrics>;

export const standingMetrics = z.object({
  ticketsTotal: z.number().int(),
  ticketsUnsolved: z.number().int(),
  topUnsolved: z.number().int(),
});
export type StandingMetrics = z.infer<typeof standingMetrics>;

/** The metrics of one account in one window, beside the same window before. */
export const accountMetrics = standingMetrics.extend({
  windowDays: z.number().int(),
  asOf: day,
  ...windowMetrics.shape,
  previous: windowMetrics,
});
export type AccountMetrics = z.infer<typeof accountMetrics>;

export const metricsByWindow = standingMetrics.extend({
  asOf: day,
  timeZone: z.string(),
  freshThrough: instant.nullable(),
  windows: z.array(windowMetrics.extend({ days: z.number().int(), previous: windowMetrics })),
});
export type MetricsByWindow = z.infer<typeof metricsByWindow>;

export const metricKeys = [
  "ticketsTotal",
  "ticketsUnsolved",
  "ticketsCreated",
  "topUnsolved",
  "topCreated",
  "csat",
  "topCsat",
] as const;
export const metricKey = z.enum(metricKeys);
export type MetricKey = z.infer<typeof metricKey>;

export const metricDefinition = z.object({
  key: metricKey,
  version: z.number().int(),
  name: z.string(),
  definition: z.string(),
  unit: z.enum(["tickets", "percent"]),
  windowed: z.boolean(),
});
export type MetricDefinition = z.infer<typeof metricDefinition>;
export const metricDictionary = z.object({ items: z.array(metricDefinition), nextCursor: z.null() });

/** Tickets and ratings of one calendar week (Monday first), for the trend charts. */
export const trendWeek = windowMetrics.extend({ start: day, end: day });
export const accountTrend = z.object({ asOf: day, timeZone: z.string(), weeks: z.array(trendWeek) });
export type AccountTrend = z.infer<typeof accountTrend>;
