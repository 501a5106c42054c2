import { expect, test } from "vitest";
import { firstReads, freshnessOf, stateOfRows } from "#app/(dashboard)/_frame/freshness.ts";
import type { Connection, StreamName, StreamStatus } from "#lib/connections/shapes.ts";

const now = new Date("2026-11-22T09:00:00Z");
const stream = (name: StreamName, more: Partial<StreamStatus> = {}): StreamStatus => ({
  name,
  state: "ok",
  freshThrough: "2026-11-22T08:50:00Z",
  lastRunAt: "2026-11-22T08:51:00Z",
  failure: null,
  rows: 1,
  held: 0,
  ...more,
});
const connection = (more: Partial<Connection> = {}): Connection => ({
  id: "c1",
  kind: "zendesk",
  name: "Support",
  subdomain: "acme",
  access: "read",
  state: "active",
  failure: null,
  streams: [stream("tickets"), stream("organizations"), stream("satisfaction_ratings")],
  matching: { organizations: 0, matched: 0, unmatched: 0, ambiguous: 0, ignored: 0 },
  nextSyncAt: null,
  pausedUntil: null,
  connectedBy: { email: null, zendeskEmail: null },
  auth: { type: "oauth", scopes: null, expiresAt: null, endsOn: null },
  historyDays: 0,
  eventHistoryDays: 365,
  syncIntervalMinutes: 60,
  verified: { at: "2026-11-22T03:12:00Z", tickets: 1, repaired: 0 },
  createdAt: "2026-01-01T00:00:00Z",
  ...more,
});
const failure = { code: "unauthenticated", message: "refused", since: "2026-11-22T07:00:00Z", action: "Sign in." };

test("the age is that of the oldest counted stream of the oldest connection", () => {
  const lagging = stream("organizations", { freshThrough: "2026-11-22T08:20:00Z" });
  const other = connection({
    streams: [stream("tickets"), lagging],
    verified: { at: "2026-11-21T03:00:00Z", tickets: 1, repaired: 0 },
  });
  expect(freshnessOf([connection(), other], now)).toEqual({
    status: "good",
    words: "all fresh",
    asOf: "2026-11-22T08:20:00Z",
    verified: "2026-11-21T03:00:00Z",
  });
});

test("streams that no number rests on, and those a plan lacks, do not age the numbers", () => {
  const streams = [
    stream("tickets"),
    stream("users", { freshThrough: null }),
    stream("satisfaction_ratings", { state: "not_available", freshThrough: null }),
  ];
  expect(freshnessOf([connection({ streams })], now)).toMatchObject({ status: "good", asOf: "2026-11-22T08:50:00Z" });
});

test("before the first sync is through there is no age, and the state is not good", () => {
  const streams = [stream("tickets"), stream("organizations", { freshThrough: null })];
  expect(freshnessOf([connection({ streams })], now)).toMatchObject({
    status: "watch",
    words: "first sync going on",
    asOf: null,
  });
});

test("failing comes before everything else", () => {
  const failing = connection({ state: "failing", failure });
  expect(freshnessOf([connection(), failing], now)).toMatchObject({ status: "bad", words: "1 of 2 failing" });
});

test("numbers older than two sync intervals are behind, though nothing failed", () => {
  const old = connection({ streams: [stream("tickets", { freshThrough: "2026-11-22T06:59:00Z" })] });
  expect(freshnessOf([old], now)).toMatchObject({ status: "watch", words: "behind" });
});

test("a paused connection and a degraded stream are said, and never look fresh", () => {
  expect(freshnessOf([connection({ state: "paused" })], now)).toMatchObject({ status: "watch", words: "paused" });
  const streams = [stream("tickets"), stream("users", { state: "degraded" })];
  expect(freshnessOf([connection({ streams })], now)).toMatchObject({ status: "watch", words: "1 stream behind" });
});

test("without a connection in use nothing is claimed", () => {
  expect(freshnessOf([], now)).toMatchObject({ status: "unknown", asOf: null, verified: null });
  expect(freshnessOf([connection({ state: "archived" })], now)).toMatchObject({ status: "unknown" });
});

test("one connection that was never verified leaves the verification unknown", () => {
  expect(freshnessOf([connection(), connection({ verified: null })], now).verified).toBeNull();
});

test("a connection is in its first read until every counted stream was read through once", () => {
  const half = connection({
    id: "half",
    streams: [stream("tickets"), stream("organizations", { freshThrough: null })],
  });
  const gone = connection({ id: "gone", state: "disconnected", streams: half.streams });
  expect(firstReads([connection(), half, gone]).map(({ id }) => id)).toEqual(["half"]);
});

test("the state of the rows changes with counted streams and with matches, and with nothing else", () => {
  const before = stateOfRows([connection()]);
  const users = stream("users", { rows: 7, freshThrough: "2026-11-22T08:59:00Z" });
  expect(stateOfRows([connection({ streams: [...connection().streams, users], nextSyncAt: "x" })])).toBe(before);
  const more = [stream("tickets", { rows: 2 }), stream("organizations"), stream("satisfaction_ratings")];
  expect(stateOfRows([connection({ streams: more })])).not.toBe(before);
  const matching = { ...connection().matching, matched: 1 };
  expect(stateOfRows([connection({ matching })])).not.toBe(before);
});
