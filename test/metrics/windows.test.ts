import { describe, expect, test } from "vitest";
import { csatScore } from "#lib/metrics/score.ts";
import {
  addDays,
  dayIn,
  daysBetween,
  isTimeZone,
  previousWindowOf,
  startOfDay,
  weekStart,
  windowOf,
} from "#lib/metrics/windows.ts";

describe("the start of a day", () => {
  test.each([
    ["UTC", "2026-11-22", "2026-11-22T00:00:00Z"],
    // Clocks go forward at 02:00 and back at 02:00: midnight before keeps the offset before.
    ["America/New_York", "2026-03-08", "2026-03-08T05:00:00Z"],
    ["America/New_York", "2026-03-09", "2026-03-09T04:00:00Z"],
    ["America/New_York", "2026-11-01", "2026-11-01T04:00:00Z"],
    ["America/New_York", "2026-11-02", "2026-11-02T05:00:00Z"],
    ["Europe/London", "2026-03-29", "2026-03-29T00:00:00Z"],
    ["Europe/London", "2026-03-30", "2026-03-29T23:00:00Z"],
    ["Europe/London", "2026-10-25", "2026-10-24T23:00:00Z"],
    ["Europe/London", "2026-10-26", "2026-10-26T00:00:00Z"],
    // Half an hour of summer time.
    ["Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-06", "2026-04-05T13:30:00Z"],
    ["Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z"],
    ["Asia/Kathmandu", "2026-11-01", "2026-10-31T18:15:00Z"],
    // Midnight does not exist: the day begins at 01:00.
    ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"],
    ["Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"],
    // Midnight comes twice: the day begins at the first.
    ["Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z"],
    ["America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"],
    // Clocks go from midnight back to 23:00 of the day before.
    ["Asia/Beirut", "2026-10-25", "2026-10-24T22:00:00Z"],
    // The zone went over this day when it crossed the date line: it is empty.
    ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"],
    ["Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"],
  ])("of %s %s is %s", (zone, day, instant) => {
    expect(startOfDay(zone, day).toISOString()).toBe(new Date(instant).toISOString());
  });

  test("is where the clock first shows the day, in every zone that this runtime knows", () => {
    for (const zone of Intl.supportedValuesOf("timeZone")) {
      for (const day of ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01"]) {
        const start = startOfDay(zone, day);
        expect(dayIn(zone, start), `${zone} ${day}`).toBe(day);
        expect(dayIn(zone, new Date(start.getTime() - 1)), `before ${zone} ${day}`).toBe(addDays(day, -1));
      }
    }
  });
});

describe("windows", () => {
  test("end with their day and are of its length in days, not in hours", () => {
    expect(windowOf("2026-03-08", 7)).toEqual({ from: "2026-03-02", to: "2026-03-08" });
    expect(windowOf("2026-03-08", 1)).toEqual({ from: "2026-03-08", to: "2026-03-08" });
    expect(previousWindowOf("2026-03-08", 7)).toEqual({ from: "2026-02-23", to: "2026-03-01" });
  });

  test("cross ends of months and leap years", () => {
    expect(windowOf("2028-03-01", 2).from).toBe("2028-02-29");
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
    expect(daysBetween("2026-03-28", "2026-03-30")).toBe(2);
  });

  test("30 days over a change of clocks are 719 hours in New York", () => {
    const hours = (zone: string) =>
      (startOfDay(zone, "2026-03-20").getTime() - startOfDay(zone, windowOf("2026-03-19", 30).from).getTime()) /
      3_600_000;
    expect(hours("America/New_York")).toBe(719);
    expect(hours("UTC")).toBe(720);
  });

  test("weeks begin on Monday", () => {
    expect(["2026-11-22", "2026-11-23", "2026-11-29"].map(weekStart)).toEqual([
      "2026-11-16",
      "2026-11-23",
      "2026-11-23",
    ]);
  });
});

test.each([
  ["America/New_York", true],
  ["UTC", true],
  ["Mars/Olympus", false],
  ["+02:00", false],
  ["", false],
])("%s is a time zone: %s", (name, known) => {
  expect(isTimeZone(name)).toBe(known);
});

describe("a score", () => {
  test.each([
    [0, 0, 0, null],
    [1, 0, 0, 100],
    [0, 0, 4, 0],
    [2, 0, 1, 66.7],
    [1, 0, 2, 33.3],
    [1, 6, 1, 12.5],
    // Exactly half a tenth goes up: 1/16 = 6.25 %, 3/16 = 18.75 %.
    [1, 0, 15, 6.3],
    [3, 10, 3, 18.8],
    [1, 0, 1999, 0.1],
    [1, 0, 2000, 0],
  ])("of %i good, %i neutral, %i bad is %s", (good, neutral, bad, score) => {
    expect(csatScore(good, neutral, bad)).toBe(score);
  });

  test("is the decimal rounding of the exact fraction, for all small counts", () => {
    for (let rated = 1; rated <= 120; rated += 1) {
      for (let good = 0; good <= rated; good += 1) {
        const tenths = (csatScore(good, 0, rated - good) ?? 0) * 10;
        const exact = (BigInt(good) * 1000n * 2n + BigInt(rated)) / (2n * BigInt(rated));
        expect(Math.round(tenths)).toBe(Number(exact));
      }
    }
  });
});
