import { describe, expect, test } from "vitest";
import type { LiveRun } from "#lib/connections/overdue.ts";
import { dueNotices } from "#lib/notifications/due.ts";
import type { ConnectionFacts, DriftFacts, StreamFacts } from "#lib/notifications/facts.ts";

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
  liveRun: null,
  drift: [],
  heldAbsences: 0,
  webhook: null,
  destinations: [],
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

  test("stay old while a run goes on that lasts longer: what to do is then to wait for it", () => {
    const streams = [stream("tickets", { freshThrough: minutesAgo(200) })];
    const action = (change: Partial<LiveRun> | null) =>
      dueNotices(facts({ streams, liveRun: change && { ...run, ...change } }), now).map((notice) => notice.action)[0];
    const run: LiveRun = {
      connectionId: 1,
      state: "running",
      requestedAt: minutesAgo(190),
      startedAt: minutesAgo(180),
      waitingUntil: null,
      isHeld: true,
      movedAt: minutesAgo(1),
    };
    expect(action({})).toMatch(/^A run goes on since 2026-11-22 06:00 UTC\./);
    const waits = { state: "waiting", isHeld: false, waitingUntil: daysOn(0.01) };
    expect(action(waits)).toMatch(/^A run that began 2026-11-22 06:00 UTC waits until 2026-11-22 09:14 UTC\./);
    for (const dead of [null, { isHeld: false }, { state: "queued" }, { ...waits, waitingUntil: minutesAgo(1) }]) {
      expect(action(dead)).toMatch(/^Look at the connection's runs\. If none was started: is the server running/);
    }
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

describe("a check of the past that found unusually much (row 23)", () => {
  const found = (change: Partial<DriftFacts>): DriftFacts => ({
    stream: "tickets",
    checkedAt: new Date("2026-11-22T03:12:00Z"),
    compared: 600,
    missing: 30,
    extra: 0,
    older: 4,
    different: 2,
    repaired: 36,
    unusual: true,
    ...change,
  });

  test("is told of with its streams, how many rows of how many, and what was repaired", () => {
    expect(codes({ drift: [found({ unusual: false })] })).toEqual([]);
    const users = found({ stream: "users", compared: 0, missing: 0, older: 0, different: 0, extra: 1200, repaired: 0 });
    const [notice, ...others] = dueNotices(facts({ drift: [found({}), users] }), now);
    expect(others).toEqual([]);
    expect(notice?.code).toBe("drift:unusual");
    expect(notice?.message).toBe(
      "The check of the past that ended 2026-11-22 03:12 UTC found unusually many rows that were not as in Zendesk. Tickets: 36 of 600 rows, 36 repaired. Users: 1,200 of 1,200 rows, 0 repaired.",
    );
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

describe("what writes through a connection", () => {
  const words = { code: "read_only" as const, reason: "It may only be read.", fix: "Grant writing." };
  const desk = { id: "7", name: "Desk", state: "on" as const, blocked: null, failing: null, unanswered: null };

  test("is told of by destination where it is on and cannot write, or writes in vain", () => {
    expect(codes({ destinations: [desk] })).toEqual([]);
    expect(dueNotices(facts({ destinations: [{ ...desk, blocked: words }] }), now)).toEqual([
      {
        code: "writing_blocked:7",
        message: "“Desk” is on, and nothing is written: It may only be read.",
        action: "Grant writing.",
      },
    ]);
    const failing = { ...desk, id: "8", failing: { reason: "Many have failed.", fix: "Look." } };
    expect(codes({ destinations: [{ ...desk, blocked: words }, failing] })).toEqual([
      "writing_blocked:7",
      "dead_letters:8",
    ]);
    const unanswered = { reason: "Zendesk does not answer.", fix: "Nothing is lost." };
    expect(codes({ destinations: [{ ...desk, unanswered }] })).toEqual(["writing_unanswered:7"]);
  });

  test("is told of beside its dead letters, also while the connection is paused or disconnected", () => {
    const of = (state: string, code: "paused" | "disconnected" | "read_only") =>
      codes({ state, destinations: [{ ...desk, blocked: { ...words, code }, failing: words }] });
    expect(of("active", "read_only")).toEqual(["writing_blocked:7", "dead_letters:7"]);
    expect(of("paused", "paused")).toEqual(["writing_paused:7", "dead_letters:7"]);
    expect(of("disconnected", "disconnected")).toEqual(["writing_ended:7", "dead_letters:7"]);
    expect(of("archived", "disconnected")).toEqual(["writing_ended:7", "dead_letters:7"]);
  });

  test("is not told of where somebody has switched it off, or the connection fails as a whole", () => {
    const blocked = { ...desk, blocked: words };
    expect(codes({ destinations: [{ ...blocked, state: "off" }] })).toEqual([]);
    expect(codes({ destinations: [{ ...blocked, state: "stopped" }] })).toEqual([]);
    const failing = { state: "failing", failure: failure("credentials_rejected") };
    const login = { ...desk, blocked: { ...words, code: "login" as const } };
    expect(codes({ destinations: [login], ...failing })).toEqual(["failing"]);
  });
});

describe("what surrounds the reading", () => {
  test("a webhook that fails is told of, unless it only waits or shares the connection's trouble", () => {
    const unknown = { checkedAt: null, activeSince: null, announced: null };
    const hook = (state: string, code: string) => ({ webhook: { ...unknown, state, failure: failure(code) } });
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
