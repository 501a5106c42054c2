import { describe, expect, test } from "vitest";
import { troublesOf } from "#app/(dashboard)/_frame/troubles.ts";
import type { Notice } from "#lib/notifications/shapes.ts";
import { connection, stream } from "./connection.ts";
import { destination } from "./destination.ts";

const now = new Date("2026-11-22T09:00:00Z");
const notice = (code: string, more: Partial<Notice> = {}): Notice => ({
  id: code,
  connectionId: "c1",
  connection: "Support",
  code,
  message: `the message of ${code}`,
  action: "Do something.",
  raisedAt: "2026-11-22T08:00:00Z",
  clearedAt: null,
  mailedAt: null,
  mailFailure: null,
  ...more,
});
const failure = { code: "unauthenticated", message: "401.", since: "2026-11-22T07:00:00Z", action: "Sign in." };
const old = "2026-11-22T06:59:00Z";

test("a connection in order has no trouble", () => {
  expect(troublesOf([connection()], [], now)).toEqual([]);
});

test("what stops the numbers comes first, what only wants doing comes last", () => {
  const streams = [
    stream("tickets", { state: "failed", freshThrough: old }),
    stream("users", { state: "degraded", held: 3 }),
  ];
  const absences = [{ stream: "tickets" as const, rows: 412, held: 412 }];
  const notices = ["webhook_failing", "api_token_ends:30", "stale", "degraded:held_rows", "login_ends:7"];
  const troubles = troublesOf(
    [connection({ streams, absences })],
    notices.map((code) => notice(code)),
    now,
  );
  expect(troubles.map(({ key, severity }) => `${key.slice(3)} ${severity}`)).toEqual([
    "failed:tickets bad",
    "stale bad",
    "approval_needed doubt",
    "degraded:held_rows doubt",
    "login_ends:7 doubt",
    "api_token_ends:30 calm",
    "webhook_failing calm",
  ]);
});

test("a token that ends in a week is more than one that ends in two months", () => {
  const of = (code: string) => troublesOf([connection()], [notice(code)], now)[0]?.severity;
  expect([of("api_token_ends:7"), of("api_token_ends:60")]).toEqual(["doubt", "calm"]);
});

test("a failure is said before its notice has come, and once when both are there", () => {
  const failing = connection({ state: "failing", failure });
  const [trouble, ...others] = troublesOf([failing], [], now);
  expect(others).toEqual([]);
  expect(trouble).toMatchObject({ severity: "bad", title: "Support does not sync: 401.", action: "Sign in." });
  const both = troublesOf([failing], [notice("failing")], now);
  expect(both.map(({ title }) => title)).toEqual(["Support does not sync: the message of failing"]);
});

test("mere age is said though nothing failed, and not of a paused connection", () => {
  const streams = [stream("tickets"), stream("ticket_events", { freshThrough: old })];
  expect(troublesOf([connection({ streams })], [], now)).toMatchObject([
    { severity: "bad", title: "Support: ticket events has not been read for more than two intervals.", since: old },
  ]);
  expect(troublesOf([connection({ streams, state: "paused" })], [], now)).toEqual([]);
});

test("rows that wait for a decision lead to it, and the stream that holds them is not said twice", () => {
  const held = stream("tickets", { state: "degraded", failure: { ...failure, code: "many_missing" } });
  const absences = [{ stream: "tickets" as const, rows: 420, held: 412 }];
  expect(troublesOf([connection({ streams: [held], absences })], [], now)).toMatchObject([
    { severity: "doubt", link: { href: "/connections/c1?tab=held#absent", label: "Decide" } },
  ]);
});

test("a notice of what the connection no longer shows is not said: the bar and the stamp tell one truth", () => {
  const codes = ["failing", "failed:forbidden", "degraded:held_rows", "approval_needed", "stale", "clock_skew"];
  const webhook = { state: "active", kind: "events", lastDeliveryAt: null };
  const notices = [...codes, "webhook_failing"].map((code) => notice(code));
  expect(troublesOf([connection({ webhook })], notices, now)).toEqual([]);
});

test("how many rows are held is said as the connection has it by now, not as its notice had it", () => {
  const of = (message: string, code = "held_rows") => ({ ...failure, code, message });
  const streams = [
    stream("tickets", { state: "degraded", held: 1, failure: of("1 row is held.") }),
    stream("users", { state: "degraded", held: 3, failure: of("3 rows are held.") }),
    stream("groups", { state: "degraded", failure: of("Another reason.", "refused_lists") }),
  ];
  const [trouble] = troublesOf([connection({ streams })], [notice("degraded:held_rows")], now);
  expect(trouble?.title).toBe("Support: Tickets: 1 row is held. Users: 3 rows are held.");
});

test("what only its notice tells is said with the way to it: a check that found much, and a webhook that is silent", () => {
  const webhook = { state: "active", kind: "events", lastDeliveryAt: null };
  const notices = ["webhook_silent", "webhook_unchecked", "drift:unusual"].map((code) => notice(code));
  expect(
    troublesOf([connection({ webhook })], notices, now).map(({ severity, link }) => [severity, link.href]),
  ).toEqual([
    ["doubt", "/connections/c1?tab=checks"],
    ["calm", "/connections/c1#webhook"],
    ["calm", "/connections/c1?tab=doctor"],
  ]);
  const none = connection({ webhook: { ...webhook, state: "failing" } });
  expect(troublesOf([none], notices.slice(0, 2), now)).toEqual([]);
});

test("that a stream was never read to its end is told by its notice, since it has no age", () => {
  const streams = [stream("tickets"), stream("users", { freshThrough: null })];
  expect(troublesOf([connection({ streams })], [notice("stale")], now)).toMatchObject([{ severity: "bad" }]);
});

describe("what writes through a connection", () => {
  const blocked = { code: "read_only" as const, reason: "“Support” may only be read.", fix: "Grant writing." };
  const failing = { reason: "Many of its writes have failed.", fix: "Read why." };

  test("is said where it is on and cannot write, or writes in vain, with the way there", () => {
    const desks = [destination({ blocked }), destination({ id: "8", name: "Shop", failing })];
    expect(troublesOf([connection()], [], now, desks)).toMatchObject([
      {
        severity: "bad",
        title: "“Desk” is on, and nothing is written: “Support” may only be read.",
        action: "Grant writing.",
        link: { href: "/destinations/7" },
        own: "/destinations/7",
      },
      {
        severity: "doubt",
        title: "“Shop”: Many of its writes have failed.",
        link: { href: "/destinations/deliveries?destination=8&state=failed" },
      },
    ]);
    const notices = ["writing_blocked:7", "dead_letters:8"].map((code) => notice(code));
    const both = troublesOf([connection()], notices, now, desks);
    expect(both.map(({ title }) => title)).toEqual([
      "the message of writing_blocked:7",
      "the message of dead_letters:8",
    ]);
    expect(both.map(({ since }) => since)).toEqual(["2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z"]);
  });

  test("is said of each destination, though the notice of one has come before the other's", () => {
    const desks = [destination({ blocked }), destination({ id: "8", blocked })];
    const keys = troublesOf([connection()], [notice("writing_blocked:8")], now, desks).map(({ key }) => key);
    expect(keys.toSorted()).toEqual(["c1 writing_blocked:7", "c1 writing_blocked:8"]);
  });

  test("is not said to those who are not told of destinations, nor when it is mended before its notice has gone", () => {
    const told = [notice("writing_blocked:7"), notice("dead_letters:7")];
    expect(troublesOf([connection()], told, now)).toEqual([]);
    expect(troublesOf([connection()], told, now, [destination()])).toEqual([]);
    expect(troublesOf([connection()], told, now, [destination({ blocked, failing, state: "stopped" })])).toEqual([]);
  });

  test("is said with the failure of its connection, once", () => {
    const desk = destination({ blocked: { code: "login", reason: "401.", fix: "Sign in." } });
    const told = troublesOf([connection({ state: "failing", failure })], [], now, [desk]);
    expect(told.map(({ title }) => title)).toEqual(["Support does not sync, and nothing is written to it: 401."]);
  });

  test("is calm where a person has paused the connection, and bad where it is disconnected, with the way to reconnect", () => {
    const of = (state: "paused" | "disconnected") => {
      const fix = "What comes is kept queued until reading resumes.";
      const desk = destination({ blocked: { code: state, reason: `“Support” is ${state}.`, fix } });
      return troublesOf([connection({ state })], [notice("stale")], now, [desk]);
    };
    expect(of("paused")).toMatchObject([
      {
        severity: "calm",
        title: "“Desk” is on, and nothing is written: “Support” is paused.",
        action: "What comes is kept queued until reading resumes.",
        link: { href: "/connections/c1", label: "Open the connection" },
      },
    ]);
    expect(of("disconnected")).toMatchObject([
      { severity: "bad", link: { href: "/connections/c1?tab=settings#login", label: "Reconnect" } },
    ]);
  });

  test.each(["paused", "disconnected", "read_only", "login"] as const)(
    "dead letters stay told while nothing can be written: %s",
    (code) => {
      const desk = destination({ failing, blocked: { ...blocked, code } });
      const state = code === "paused" || code === "disconnected" ? code : code === "login" ? "failing" : "active";
      const keys = troublesOf([connection({ state })], [], now, [desk]).map(({ key }) => key);
      expect(keys).toContain("c1 dead_letters:7");
    },
  );

  test("never says that other writes go on while Zendesk answers none", () => {
    const unanswered = { reason: "Zendesk does not answer.", fix: "Nothing is lost: it is tried again by itself." };
    const told = troublesOf([connection()], [], now, [destination({ failing, unanswered })]);
    expect(told.map(({ key, title }) => [key, title])).toEqual([
      ["c1 writing_unanswered:7", "“Desk”: Zendesk does not answer."],
      ["c1 dead_letters:7", "“Desk”: Many of its writes have failed."],
    ]);
    expect(told[0]?.action).toContain("Nothing is lost");
    for (const { works } of told) expect(works).not.toMatch(/writes go on/);
  });
});

test("what is over, and what is of a connection no longer in use, is not said", () => {
  expect(troublesOf([connection()], [notice("stale", { clearedAt: "2026-11-22T08:30:00Z" })], now)).toEqual([]);
  const told = [notice("failing"), notice("login_ends:7")];
  expect(troublesOf([connection({ state: "disconnected" })], told, now)).toEqual([]);
});
