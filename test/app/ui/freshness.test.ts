import { expect, test } from "vitest";
import { firstReads, freshnessOf, lateStreams } from "#app/(dashboard)/_frame/freshness.ts";
import { connection, stream } from "./connection.ts";

const now = new Date("2026-11-22T09:00:00Z");
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
  expect(freshnessOf([old], now)).toMatchObject({ status: "bad", words: "behind" });
});

test("a paused connection and a degraded stream are said, and never look fresh", () => {
  expect(freshnessOf([connection({ state: "paused" })], now)).toMatchObject({ status: "watch", words: "paused" });
  const streams = [stream("tickets"), stream("users", { state: "degraded" })];
  expect(freshnessOf([connection({ streams })], now)).toMatchObject({ status: "watch", words: "1 stream degraded" });
});

test("without a connection in use nothing is claimed", () => {
  expect(freshnessOf([], now)).toMatchObject({ status: "unknown", asOf: null, verified: null });
  expect(freshnessOf([connection({ state: "archived" })], now)).toMatchObject({ status: "unknown" });
});

test("what a connection that is not in use has read keeps its instant: its rows still count", () => {
  const gone = connection({ state: "disconnected" });
  expect(freshnessOf([gone], now)).toEqual({
    status: "unknown",
    words: "nothing connected",
    asOf: "2026-11-22T08:50:00Z",
    verified: null,
  });
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

test("a failed stream comes before a degraded one, and rows that wait for a decision are never fresh", () => {
  const degraded = stream("users", { state: "degraded" });
  const failed = stream("tickets", { state: "failed" });
  expect(freshnessOf([connection({ streams: [degraded, failed] })], now)).toMatchObject({
    status: "bad",
    words: "1 stream failed",
  });
  const absences = [{ stream: "tickets" as const, rows: 412, held: 412 }];
  expect(freshnessOf([connection({ absences })], now)).toMatchObject({ status: "watch", words: "approval needed" });
});

test("any stream is behind by its age, unless it was never read through or the plan lacks it", () => {
  const old = { freshThrough: "2026-11-22T06:59:00Z" };
  const streams = [
    stream("tickets"),
    stream("ticket_events", old),
    stream("users", { freshThrough: null }),
    stream("satisfaction_ratings", { ...old, state: "not_available" }),
  ];
  expect(lateStreams(connection({ streams }), now).map(({ name }) => name)).toEqual(["ticket_events"]);
  expect(freshnessOf([connection({ streams })], now)).toMatchObject({ status: "bad", words: "behind" });
});
