import { describe, expect, test } from "vitest";
import { dueNotices } from "#lib/notifications/due.ts";
import type { ConnectionFacts, StreamFacts } from "#lib/notifications/facts.ts";

const now = new Date("2026-11-22T09:00:00Z");
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const daysOn = (days: number) => new Date(now.getTime() + days * 86_400_000);
const stream = (name: string, change: Partial<StreamFacts> = {}): StreamFacts => ({
  name,
  state: "ok",
  freshThrough: minutesAgo(61),
  movedAt: minutesAgo(60),
  failure: null,
  ...change,
});
const failure = (code: string) => ({ code, message: `${code} happened.`, action: `Mend ${code}.` });
const facts = (change: Partial<ConnectionFacts> = {}): ConnectionFacts => ({
  connectionId: 1,
  name: "Acme",
  state: "active",
  failure: null,
  authType: "oauth_client_credentials",
  loginEndsAt: null,
  clockSkewSeconds: null,
  intervalMinutes: 60,
  streams: [stream("tickets"), stream("users")],
  heldAbsences: 0,
  webhook: null,
  ...change,
});
const codes = (change: Partial<ConnectionFacts>, at = now) => dueNotices(facts(change), at).map(({ code }) => code);

describe("the notices that are due", () => {
  test("are none for a connection that works", () => {
    expect(dueNotices(facts(), now)).toEqual([]);
  });

  test("give a failing connection's own words", () => {
    const [notice] = dueNotices(facts({ state: "failing", failure: failure("credentials_rejected") }), now);
    expect(notice).toEqual({
      code: "failing",
      message: "credentials_rejected happened.",
      action: "Mend credentials_rejected.",
    });
  });

  test("say one cause once: what the connection says, its streams do not say again", () => {
    const broken = { state: "failed", failure: failure("forbidden") };
    const streams = [stream("tickets", broken), stream("users", { state: "failed", failure: failure("protocol") })];
    expect(codes({ state: "failing", failure: failure("forbidden"), streams })).toEqual(["failing", "failed:protocol"]);
  });

  test("name all streams that have the same trouble in one notice", () => {
    const streams = ["tickets", "users"].map((name) =>
      stream(name, { state: "degraded", failure: failure("role_changed") }),
    );
    expect(dueNotices(facts({ streams }), now)).toEqual([
      {
        code: "degraded:role_changed",
        message: "Tickets: role_changed happened. Users: role_changed happened.",
        action: "Mend role_changed.",
      },
    ]);
  });

  test("ask for a word where absent rows wait for one, whichever way that is known", () => {
    expect(codes({ heldAbsences: 120 })).toEqual(["approval_needed"]);
    const asking = stream("tickets", { state: "degraded", failure: failure("many_missing") });
    expect(codes({ streams: [asking], heldAbsences: 120 })).toEqual(["approval_needed"]);
  });
});

describe("old numbers (row 122)", () => {
  test("are told of by their age, two intervals, and named, whether or not anything failed", () => {
    const at = (minutes: number) => [stream("tickets"), stream("users", { freshThrough: minutesAgo(minutes) })];
    expect(codes({ streams: at(120) })).toEqual([]);
    const [notice] = dueNotices(facts({ streams: at(121) }), now);
    expect(notice?.code).toBe("stale");
    expect(notice?.message).toBe("Users are fresh through 2026-11-22 06:59 UTC only. A sync is due every 60 minutes.");
    expect(codes({ streams: at(121), intervalMinutes: 61 })).toEqual([]);
  });

  test("are judged by Zendesk's clock, which told what they are fresh through (row 47)", () => {
    const streams = [stream("tickets", { freshThrough: minutesAgo(121) })];
    expect(codes({ streams, clockSkewSeconds: -30 })).toEqual(["stale"]);
    // This machine's clock is a day ahead: the stream is as fresh as it can be.
    const dayAhead = [stream("tickets", { freshThrough: minutesAgo(24 * 60 + 1) })];
    expect(codes({ streams: dayAhead, clockSkewSeconds: -86_400 })).toEqual(["clock_skew"]);
    // A day behind: it looks as if it came from the future, and is three hours old.
    const dayBehind = [stream("tickets", { freshThrough: minutesAgo(-24 * 60 + 180) })];
    expect(codes({ streams: dayBehind, clockSkewSeconds: 86_400 })).toEqual(["stale", "clock_skew"]);
  });

  test("of a stream that was never read to its end count from when anything moved last", () => {
    const first = { freshThrough: null, state: "waiting" };
    expect(codes({ streams: [stream("tickets", { ...first, movedAt: minutesAgo(119) })] })).toEqual([]);
    expect(codes({ streams: [stream("tickets", { ...first, movedAt: minutesAgo(121) })] })).toEqual(["stale"]);
  });

  test("are none where the plan lacks the stream, or a person has paused the connection", () => {
    const old = { freshThrough: minutesAgo(5000) };
    expect(codes({ streams: [stream("satisfaction_ratings", { ...old, state: "not_available" })] })).toEqual([]);
    expect(codes({ state: "paused", failure: failure("unreachable"), streams: [stream("tickets", old)] })).toEqual([]);
  });
});

describe("what is about to end (row 61)", () => {
  const end = new Date("2027-04-30T00:00:00Z");
  const before = (days: number) =>
    codes({ authType: "api_token", streams: [] }, new Date(end.getTime() - days * 86_400_000));

  test("API tokens are told of 60, 30 and 7 days before, the nearest alone", () => {
    expect([61, 60, 31, 30, 8, 7, 0, -3].map((days) => before(days))).toEqual([
      [],
      ["api_token_ends:60"],
      ["api_token_ends:60"],
      ["api_token_ends:30"],
      ["api_token_ends:30"],
      ["api_token_ends:7"],
      ["api_token_ends:7"],
      ["api_token_ends:7"],
    ]);
  });

  test("a sign-in that can be renewed for a week only is told of, also during a pause", () => {
    expect(codes({ authType: "oauth", loginEndsAt: daysOn(8) })).toEqual([]);
    expect(codes({ authType: "oauth", loginEndsAt: daysOn(6) })).toEqual(["login_ends:7"]);
    expect(codes({ authType: "oauth", loginEndsAt: daysOn(6), state: "paused" })).toEqual(["login_ends:7"]);
  });
});

describe("what surrounds the reading", () => {
  test("a webhook that fails is told of, unless it only waits or shares the connection's trouble", () => {
    const hook = (state: string, code: string) => ({ webhook: { state, failure: failure(code) } });
    expect(codes(hook("failing", "rejected"))).toEqual(["webhook_failing"]);
    expect(codes(hook("failing", "waiting"))).toEqual([]);
    expect(codes(hook("refused", "read_only"))).toEqual([]);
    expect(codes({ ...hook("failing", "unreachable"), state: "failing", failure: failure("unreachable") })).toEqual([
      "failing",
    ]);
  });

  test("a clock that differs by more than a minute is told of", () => {
    expect(codes({ clockSkewSeconds: 60 })).toEqual([]);
    const [notice] = dueNotices(facts({ clockSkewSeconds: -600, streams: [] }), now);
    expect(notice).toMatchObject({
      code: "clock_skew",
      message: expect.stringContaining("10 minutes ahead of Zendesk's"),
    });
  });
});
