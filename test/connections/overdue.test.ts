import { expect, test } from "vitest";
import { type LiveRun, overdueSince, runWords } from "#lib/connections/overdue.ts";

const now = new Date("2026-11-22T09:00:00Z");
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const due = ago(200);
const run = (change: Partial<LiveRun>): LiveRun => ({
  connectionId: 1,
  state: "running",
  requestedAt: ago(199),
  startedAt: ago(198),
  waitingUntil: null,
  isHeld: false,
  movedAt: ago(30),
  ...change,
});

test("a sync is overdue since it was due, where no run goes on (row 122)", () => {
  expect(overdueSince(null, null, now)).toBeNull();
  expect(overdueSince(ago(-1), null, now)).toBeNull();
  expect(overdueSince(due, null, now)).toEqual(due);
  expect(overdueSince(due, run({ state: "queued" }), now)).toEqual(due);
});

test("it is not while a run is executed, or waits as long as it was told to", () => {
  expect(overdueSince(due, run({ isHeld: true }), now)).toBeNull();
  expect(overdueSince(due, run({ state: "waiting", waitingUntil: ago(-5) }), now)).toBeNull();
});

test("a run that was left counts from when it last moved, or was to go on", () => {
  expect(overdueSince(due, run({}), now)).toEqual(ago(30));
  expect(overdueSince(due, run({ state: "waiting", waitingUntil: ago(10) }), now)).toEqual(ago(10));
  expect(overdueSince(due, run({ state: "waiting", waitingUntil: null }), now)).toEqual(ago(30));
  expect(overdueSince(due, run({ movedAt: ago(500) }), now)).toEqual(due);
});

test("how a run stands is said as it is", () => {
  expect(runWords(run({ isHeld: true }), now)).toBe("A run goes on since 2026-11-22 05:42 UTC.");
  expect(runWords(run({ state: "queued" }), now)).toBe("A run was asked for 2026-11-22 05:41 UTC and has not begun.");
  expect(runWords(run({ state: "waiting", waitingUntil: ago(-5) }), now)).toBe(
    "A run that began 2026-11-22 05:42 UTC waits until 2026-11-22 09:05 UTC.",
  );
  expect(runWords(run({}), now)).toBe(
    "A run that began 2026-11-22 05:42 UTC stands still, and nobody goes on with it.",
  );
});
