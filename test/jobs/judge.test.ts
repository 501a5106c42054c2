import { describe, expect, test } from "vitest";
import type { StreamName, SyncMode } from "#lib/connections/shapes.ts";
import { brokenOff, judge } from "#lib/jobs/judge.ts";
import type { LiveRun } from "#lib/jobs/store/runs.ts";
import type { FailureCode } from "#lib/zendesk/failures.ts";

const now = new Date("2026-03-02T10:00:00Z");
const hours = (count: number) => new Date(now.getTime() + count * 3_600_000);
const run = (startedAt: Date): LiveRun => ({
  id: "1",
  mode: "incremental",
  trigger: "first",
  state: "running",
  startedAt,
  waitingUntil: null,
  epoch: "1",
});

describe("a run that stops before it is done", () => {
  test("waits for Zendesk's instant, whatever else stopped it, and for nobody where only its budget is over", () => {
    const limited = { streams: [], waitingUntil: hours(1) };
    for (const stopped of [null, "budget", "turn", "shutdown"] as const) {
      expect(judge(limited, run(now), stopped, now)).toMatchObject({ state: "waiting", waitingUntil: hours(1) });
    }
    const over = { streams: [], waitingUntil: now };
    expect(judge(over, run(now), "budget", now)).toMatchObject({ state: "waiting", waitingUntil: null });
    expect(judge(over, run(now), "turn", now)).toMatchObject({ state: "waiting", waitingUntil: now });
  });

  test("fails after a day when it has to wait once more, saying from when on it may go on", () => {
    const ended = judge({ streams: [], waitingUntil: hours(2) }, run(hours(-25)), null, now);
    expect(ended).toMatchObject({ state: "failed", failure: { code: "too_long" } });
    expect(ended.failure?.message).toContain("from 2026-03-02 12:00 UTC.");
  });

  test("does not fail for its age where its budget, its turn or its process ended: it goes on", () => {
    for (const stopped of ["budget", "turn", "shutdown"] as const) {
      const ended = judge({ streams: [], waitingUntil: now }, run(hours(-72)), stopped, now);
      expect([ended.state, ended.failure]).toEqual(["waiting", null]);
    }
  });
});

describe("a run that is done", () => {
  const ended = (...states: ("ok" | "degraded" | "not_available" | "failed" | "waiting")[]) =>
    judge({ streams: states.map((state) => ({ name: "tickets", state })) }, run(now), null, now).state;

  test("succeeded only when every stream is caught up or outside the plan", () => {
    expect(ended("ok", "not_available", "degraded")).toBe("succeeded");
    expect(ended("ok", "failed")).toBe("failed");
    expect(ended("ok", "waiting")).toBe("waiting");
  });

  test("a stream that was read with lesser rights, or gave nothing at all, is not caught up; held rows, and what the night asks, stand beside", () => {
    const doubted = (mode: SyncMode, name: StreamName, code: FailureCode) => {
      const failure = { code, message: "m", action: "a" };
      const outcome = { streams: [{ name, state: "degraded" as const, failure }] };
      return judge(outcome, { ...run(now), mode }, null, now).state;
    };
    expect(doubted("incremental", "tickets", "role_changed")).toBe("failed");
    expect(doubted("full", "tickets", "empty_listing")).toBe("failed");
    expect(doubted("incremental", "groups", "empty_listing")).toBe("failed");
    expect(doubted("reconcile", "tickets", "empty_listing")).toBe("succeeded");
    expect(doubted("incremental", "fields", "empty_listing")).toBe("succeeded");
    expect(doubted("incremental", "tickets", "held_rows")).toBe("succeeded");
    expect(doubted("reconcile", "tickets", "many_missing")).toBe("succeeded");
  });
});

describe("a run that breaks off", () => {
  test.each(["57014", "55P03", "25006", "53100"])(
    "through the database (%s) fails, and says that nothing half-done was kept",
    (code) => {
      const ended = brokenOff({ error: () => {} }, Object.assign(new Error("no"), { code }));
      expect(ended).toMatchObject({ state: "failed", failure: { code: "database" } });
      expect(ended.failure?.message).toContain("nothing half-done was kept");
    },
  );
});
