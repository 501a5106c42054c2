import { expect, test } from "vitest";
import { localeOf } from "#app/_ui/accept-language.ts";
import { axisOf } from "#app/_ui/chart/points.ts";
import { calendarDayWords, clockWords, dayHeading, exactWords, relativeWords } from "#app/_ui/time-words.ts";

const now = new Date("2026-11-22T09:00:00Z");
const relative = (iso: string) => relativeWords(new Date(iso), now, "en-GB", "Europe/Berlin");

test("a time is told in its largest whole unit, and past a week by its day", () => {
  expect(
    [
      "2026-11-22T08:59:40Z",
      "2026-11-22T08:58:50Z",
      "2026-11-22T08:48:00Z",
      "2026-11-22T06:30:00Z",
      "2026-11-20T08:00:00Z",
      "2026-11-12T08:00:00Z",
      "2025-11-12T08:00:00Z",
      "2026-11-22T11:00:00Z",
    ].map(relative),
  ).toEqual(["just now", "1 min ago", "12 min ago", "2 h ago", "2 d ago", "12 Nov", "12 Nov 2025", "in 2 h"]);
});

test("the exact time names its zone", () => {
  expect(exactWords(now, "en-GB", "UTC")).toBe("22 Nov 2026, 09:00 UTC");
  expect(exactWords(now, "en-GB", "Europe/Berlin")).toMatch(/^22 Nov 2026, 10:00 \S+/);
});

test("today is the reader's today: 23:30 UTC the day before is today in Berlin", () => {
  const late = new Date("2026-11-21T23:30:00Z");
  expect(clockWords(late, now, "en-GB", "Europe/Berlin")).toBe("00:30");
  expect(clockWords(late, now, "en-GB", "UTC")).toBe("21 Nov");
});

test("an Accept-Language header gives its first usable tag, and nonsense gives English", () => {
  expect(["de-CH,de;q=0.9", "*, fr;q=0.5", "not a tag!!", null].map(localeOf)).toEqual(["de-CH", "fr", "en", "en"]);
});

test("an axis starts at zero and ends on a whole round tick at or above the largest value", () => {
  expect([0, 1, 7, 22, 30, 410].map((largest) => axisOf(largest).ticks.join(" "))).toEqual([
    "0 1",
    "0 1",
    "0 3 6 9",
    "0 10 20 30",
    "0 10 20 30",
    "0 200 400 600",
  ]);
});

test("a day heads its entries as today, yesterday, or by weekday and date, in the reader's zone", () => {
  const heading = (iso: string) => dayHeading(new Date(iso), now, "en-GB", "Europe/Berlin");
  expect(
    ["2026-11-21T23:30:00Z", "2026-11-21T22:30:00Z", "2026-11-20T12:00:00Z", "2025-11-20T12:00:00Z"].map(heading),
  ).toEqual(["Today", "Yesterday", "Fri 20 Nov", "Thu 20 Nov 2025"]);
});

test("a calendar day is no instant: no zone moves it", () => {
  expect(calendarDayWords("2026-11-22", "en-GB")).toBe("22 Nov 2026");
});
