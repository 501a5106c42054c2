import { expect, test } from "vitest";
import { budgetsIn } from "#app/(dashboard)/connections/[connectionId]/doctor/budgets.ts";
import { remedyOf } from "#app/(dashboard)/connections/[connectionId]/doctor/remedies.ts";
import { retryWords } from "#app/(dashboard)/connections/[connectionId]/held/use-retry.ts";
import { MOST_SHOWN, visibleText } from "#app/(dashboard)/connections/[connectionId]/held/visible-text.ts";
import { resultWords } from "#app/(dashboard)/connections/[connectionId]/ledger/check-table.tsx";
import type { DriftRun } from "#lib/connections/shapes.ts";

test("the budgets are read out of the doctor's words, one a bucket, and other words stay", () => {
  const found =
    "account: 1,400 in a window, 12 used by us, 130 by others, 1,258 left until 2026-11-22 08:51 UTC. incremental exports: 10 in a window, 4 used by us, 0 by others, 6 left until 2026-11-22 08:51 UTC. Zendesk asked us to wait.";
  expect(budgetsIn({ key: "rate_limits", found })).toEqual({
    budgets: [
      { name: "Account", limit: 1400, ours: 12, others: 130 },
      { name: "Incremental exports", limit: 10, ours: 4, others: 0 },
    ],
    words: "Zendesk asked us to wait.",
  });
  const none = "Zendesk announces no limits.";
  expect(budgetsIn({ key: "rate_limits", found: none })).toEqual({ budgets: [], words: none });
});

test("a finding leads to where it is acted on, and nowhere where nothing here helps", () => {
  const place = (key: string, action = "Do it.") => remedyOf(key, action, "7")?.href ?? null;
  expect(place("credentials")).toBe("/connections/7?tab=settings#login");
  expect(place("webhook")).toBe("/connections/7#webhook");
  expect(place("stream:users", "Look at the held rows.")).toBe("/connections/7?tab=held");
  expect(place("stream:tickets", "Approve or refuse the removal.")).toBe("/connections/7?tab=held#absent");
  expect(place("clock")).toBeNull();
});

test("the result of another try is said in words", () => {
  expect(retryWords(1, 0)).toBe("1 row is stored now.");
  expect(retryWords(2, 1)).toBe("2 rows are stored now; 1 is still held, for the reason shown.");
  expect(retryWords(0, 3)).toBe("3 are still held, for the reason shown.");
  expect(retryWords(0, 0)).toBe("Nothing was left to try.");
});

test("raw text shows what a screen would swallow or obey, and keeps its lines", () => {
  expect(visibleText('{"a":"x\u0000y\u202ez\ud800"}\n\t1 😀')).toBe('{"a":"x\\u0000y\\u202ez\\ud800"}\n\t1 😀');
  expect(visibleText("x".repeat(MOST_SHOWN + 1))).toHaveLength(MOST_SHOWN);
});

test("a check claims that nothing differed only when it went through and compared something", () => {
  const check = (state: DriftRun["state"], compared: number, missing = 0, repaired = 0): DriftRun => ({
    runId: "1",
    state,
    startedAt: null,
    finishedAt: null,
    streams: [
      { stream: "tickets", compared, missing, extra: 0, older: 0, different: 0, repaired, unusual: false, columns: [] },
    ],
  });
  expect(resultWords(check("succeeded", 9))).toBe("nothing differed");
  expect(resultWords(check("succeeded", 0))).toBe("nothing compared");
  expect(resultWords(check("succeeded", 9, 2, 2))).toBe("2 differed, all repaired");
  expect(resultWords(check("succeeded", 9, 3, 2))).toBe("3 differed, 1 left");
  expect(resultWords(check("succeeded", 21_900, 21_843, 21_843))).toBe("21,843 differed, all repaired");
  expect(resultWords(check("running", 9))).toBe("going on");
  expect(resultWords(check("failed", 9))).toBe("not through");
});
