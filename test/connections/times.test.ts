import { describe, expect, test } from "vitest";
import { nextReconcile, nextSync } from "#lib/connections/times.ts";

const scopes = Array.from({ length: 50 }, (_, index) => ({ workspaceId: 1, connectionId: index + 1 }));

describe("the next sync", () => {
  const now = new Date("2026-03-08T10:00:00Z");

  test("is after now and within the interval, and repeats each interval", () => {
    for (const scope of scopes) {
      const first = nextSync(scope, 60, now);
      expect(first.getTime()).toBeGreaterThan(now.getTime());
      expect(first.getTime()).toBeLessThanOrEqual(now.getTime() + 3_600_000);
      expect(nextSync(scope, 60, first).getTime()).toBe(first.getTime() + 3_600_000);
    }
  });

  test("spreads 50 connections over the hour", () => {
    const minutes = new Map<number, number>();
    for (const scope of scopes) {
      const minute = Math.floor((nextSync(scope, 60, now).getTime() - now.getTime()) / 60_000);
      minutes.set(minute, (minutes.get(minute) ?? 0) + 1);
    }
    expect(Math.max(...minutes.values())).toBeLessThanOrEqual(5);
    expect(minutes.size).toBeGreaterThan(25);
  });
});

describe("the clock at a full hour", () => {
  test("starts few of 50 connections in any one second, and none twice", () => {
    const begin = Date.parse("2026-03-08T10:00:00Z");
    const starts = scopes.map((scope) => nextSync(scope, 60, new Date(begin - 1)).getTime());
    const inSecond = (second: number) => starts.filter((at) => Math.floor(at / 1000) === second).length;
    expect(Math.max(...starts.map((at) => inSecond(Math.floor(at / 1000))))).toBeLessThanOrEqual(3);
    expect(starts.filter((at) => at < begin + 5000).length).toBeLessThanOrEqual(3);
  });
});

describe("the nightly check", () => {
  const localHour = (zone: string, at: Date) =>
    Number(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit" }).format(at));

  test.each(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"])(
    "is between 3 and 4 at night in %s",
    (zone) => {
      for (const scope of scopes.slice(0, 10)) {
        const at = nextReconcile(scope, zone, new Date("2026-01-15T12:34:56Z"));
        expect(localHour(zone, at)).toBe(3);
        expect(at.getTime() - Date.parse("2026-01-15T12:34:56Z")).toBeLessThanOrEqual(86_400_000);
      }
    },
  );

  test("comes every night, also over the nights on which clocks change", () => {
    for (const zone of ["Europe/Helsinki", "Europe/London", "America/New_York"]) {
      let at = new Date("2026-03-01T12:00:00Z");
      for (let night = 0; night < 60; night++) {
        const next = nextReconcile(scopes[3] ?? { workspaceId: 1, connectionId: 4 }, zone, at);
        expect(next.getTime() - at.getTime()).toBeGreaterThan(0);
        expect(next.getTime() - at.getTime()).toBeLessThanOrEqual(26 * 3_600_000);
        at = next;
      }
    }
  });
});
