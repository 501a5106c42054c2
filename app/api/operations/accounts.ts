import { z } from "zod";
import { operation } from "#app/api/operation.ts";
import {
  accountAnswer,
  accountList,
  accountOrganizationList,
  accountsQuery,
  bulkAnswer,
  bulkBody,
  ownerList,
} from "#lib/accounts/shapes.ts";
import { day, listQuery } from "#lib/api/shapes.ts";
import { accountTrend, metricDictionary, metricsByWindow } from "#lib/metrics/shapes.ts";
import { peopleQuery, personList } from "#lib/people/shapes.ts";
import { accountTicketsQuery, ticketList } from "#lib/reports/shapes.ts";
import { feedList, feedQuery, timelineList, timelineQuery } from "#lib/timeline/shapes.ts";

const MIB = 1024 * 1024;

export const bulkAccounts = operation({
  id: "bulkAccounts",
  method: "POST",
  path: "/api/v1/accounts/bulk",
  summary: "Create and update accounts by external id",
  role: "admin",
  body: bulkBody,
  answer: bulkAnswer,
  idempotent: true,
  maxBody: 50 * MIB,
});

export const importAccounts = operation({
  id: "importAccounts",
  method: "POST",
  path: "/api/v1/accounts/import",
  summary: "Create and update accounts from a CSV file",
  role: "admin",
  answer: bulkAnswer,
  idempotent: true,
  span: "long",
  streamed: true,
  maxBody: 100 * MIB,
});

export const listAccounts = operation({
  id: "listAccounts",
  method: "GET",
  path: "/api/v1/accounts",
  summary: "Accounts with their metrics in one window",
  role: "viewer",
  query: accountsQuery,
  answer: accountList,
  // CSV is streamed from a transaction of its own; holding the request's beside it could starve the pool.
  span: "long",
});

export const getAccount = operation({
  id: "getAccount",
  method: "GET",
  path: "/api/v1/accounts/{id}",
  summary: "One account",
  role: "viewer",
  query: z.object({ windowDays: z.coerce.number().int().optional() }),
  answer: accountAnswer,
});

export const getAccountMetrics = operation({
  id: "getAccountMetrics",
  method: "GET",
  path: "/api/v1/accounts/{id}/metrics",
  summary: "All metrics of an account in all windows",
  role: "viewer",
  query: z.object({ asOf: day.optional() }),
  answer: metricsByWindow,
});

export const getAccountTrend = operation({
  id: "getAccountTrend",
  method: "GET",
  path: "/api/v1/accounts/{id}/trend",
  summary: "Tickets and ratings by calendar week",
  role: "viewer",
  query: z.object({ weeks: z.coerce.number().int().min(1).max(104).default(26) }),
  answer: accountTrend,
});

export const getAccountTimeline = operation({
  id: "getAccountTimeline",
  method: "GET",
  path: "/api/v1/accounts/{id}/timeline",
  summary: "What happened at an account, newest first",
  role: "viewer",
  query: timelineQuery,
  answer: timelineList,
});

export const listAccountTickets = operation({
  id: "listAccountTickets",
  method: "GET",
  path: "/api/v1/accounts/{id}/tickets",
  summary: "The tickets of an account, or exactly those that a metric counts",
  role: "viewer",
  query: accountTicketsQuery,
  answer: ticketList,
  // CSV is streamed from a transaction of its own; holding the request's beside it could starve the pool.
  span: "long",
});

export const listAccountPeople = operation({
  id: "listAccountPeople",
  method: "GET",
  path: "/api/v1/accounts/{id}/people",
  summary: "End users of an account's organizations",
  role: "viewer",
  query: peopleQuery,
  answer: personList,
});

export const listAccountOrganizations = operation({
  id: "listAccountOrganizations",
  method: "GET",
  path: "/api/v1/accounts/{id}/organizations",
  summary: "Zendesk organizations matched to an account",
  role: "viewer",
  query: listQuery,
  answer: accountOrganizationList,
});

export const listOwners = operation({
  id: "listOwners",
  method: "GET",
  path: "/api/v1/owners",
  summary: "People who own accounts",
  role: "viewer",
  query: listQuery,
  answer: ownerList,
});

export const getFeed = operation({
  id: "getFeed",
  method: "GET",
  path: "/api/v1/feed",
  summary: "What happened across accounts, newest first",
  role: "viewer",
  query: feedQuery,
  answer: feedList,
});

export const getMetricDictionary = operation({
  id: "getMetricDictionary",
  method: "GET",
  path: "/api/v1/metrics/dictionary",
  summary: "Definitions of the metrics, with their versions",
  role: "viewer",
  answer: metricDictionary,
});
