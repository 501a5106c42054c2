import { describe, expect, it } from "vitest";
import type { TicketChange } from "#lib/timeline/audits.ts";
import { type BadRating, buildTimeline, type TicketHistory } from "#lib/timeline/build.ts";
import { formatMoves, type StatusCategory } from "#lib/timeline/kinds.ts";

const start = Date.parse("2026-03-01T10:00:00Z") / 1000;
const at = (seconds: number) => new Date((start + seconds) * 1000);

type Fact = Partial<TicketChange> & Pick<TicketChange, "auditId" | "field" | "occurredAt">;
const change = (fact: Fact): TicketChange => ({ position: 0, kind: "change", value: null, previous: null, ...fact });

/** The children of a creation, with what was set then. */
function creation(
  seconds: number,
  set: Partial<Record<"status" | "priority", string>> = {},
  auditId = "100",
): TicketChange[] {
  const base = { auditId, occurredAt: at(seconds), kind: "create" as const };
  return [
    change({ ...base, field: "created" }),
    ...Object.entries(set).map(([field, value]) => change({ ...base, field: field as "status", value })),
  ];
}
function moved(
  auditId: string,
  seconds: number,
  field: TicketChange["field"],
  previous: string | null,
  value: string | null,
  position = 0,
) {
  return change({ auditId, field, occurredAt: at(seconds), previous, value, position });
}
const bad = (seconds: number, rest: Partial<BadRating> = {}): BadRating => ({
  system: "legacy",
  ratedAt: at(seconds),
  comment: null,
  ...rest,
});

/** `kind @second [priority then]`, with a `*` where derived, in order of time. */
function told(history: Partial<TicketHistory>, custom: [string, StatusCategory][] = []): string[] {
  const plain: TicketHistory = {
    createdAt: null,
    solvedAt: null,
    priority: null,
    deleted: false,
    changes: [],
    badRatings: [],
  };
  return buildTimeline({ ...plain, ...history }, new Map(custom))
    .map((moment) => ({ ...moment, second: moment.occurredAt.getTime() / 1000 - start }))
    .sort((a, b) => a.second - b.second || (a.kind < b.kind ? -1 : 1))
    .map(({ kind, second, priorityThen, derived, moves, comment }) =>
      [
        kind.replace("ticket_", ""),
        `@${second}`,
        derived ? "*" : "",
        kind === "ticket_escalated" ? formatMoves(moves) : (priorityThen ?? "none"),
        comment,
      ]
        .filter(Boolean)
        .join(" "),
    );
}

describe("creation", () => {
  it("takes the priority that was set then, not today's", () => {
    const changes = [...creation(0, { status: "new", priority: "low" }), moved("101", 50, "priority", "low", "urgent")];
    expect(told({ createdAt: at(0), priority: "urgent", changes })).toEqual([
      "created @0 low",
      "escalated @50 low>urgent",
    ]);
  });
  it("takes a field without a Create child as null then, and until something changes it", () => {
    const changes = [...creation(0, { status: "new" }), moved("101", 50, "status", "new", "solved")];
    expect(told({ createdAt: at(0), priority: "urgent", changes })).toEqual(["created @0 none", "solved @50 none"]);
  });
  it("keeps the value at creation when a trigger changes it in the same update", () => {
    const changes = [...creation(0, { priority: "low" }), moved("100", 0, "priority", "low", "high", 1)];
    expect(told({ priority: "high", changes })).toEqual(["created @0 low", "escalated @0 low>high"]);
  });
  it("is derived from the ticket where the event history does not reach back", () => {
    expect(told({ createdAt: at(0), priority: "high" })).toEqual(["created @0 * high"]);
  });
  it("is derived with the priority before the first change that is known", () => {
    const changes = [moved("900", 500, "priority", "normal", "urgent")];
    expect(told({ createdAt: at(0), priority: "urgent", changes })).toEqual([
      "created @0 * normal",
      "escalated @500 normal>urgent",
    ]);
  });
  it("gives one entry when ticket and event tell of it some seconds apart", () => {
    expect(told({ createdAt: at(2), changes: creation(0, { priority: "high" }) })).toEqual(["created @0 high"]);
  });
  it("as solved is a creation and a solve", () => {
    const changes = creation(0, { status: "solved", priority: "high" });
    expect(told({ createdAt: at(0), solvedAt: at(0), changes })).toEqual(["created @0 high", "solved @0 high"]);
  });
});

describe("priority", () => {
  it("keeps every change, so that any top set can judge it", () => {
    const changes = [
      ...creation(0),
      moved("101", 10, "priority", null, "normal"),
      moved("102", 20, "priority", "normal", "high"),
      moved("103", 30, "priority", "high", "urgent"),
      moved("104", 40, "priority", "urgent", "low"),
    ];
    expect(told({ changes })).toEqual([
      "created @0 none",
      "escalated @10 none>normal",
      "escalated @20 normal>high",
      "escalated @30 high>urgent",
      "escalated @40 urgent>low",
    ]);
  });
  it("takes the state before the change where previous_value is missing", () => {
    const changes = [...creation(0, { priority: "high" }), moved("101", 10, "priority", null, "urgent")];
    expect(told({ changes })).toEqual(["created @0 high", "escalated @10 high>urgent"]);
  });
  it("never counts losing a priority, nor a word that is not known", () => {
    const changes = [
      ...creation(0, { priority: "high" }),
      moved("101", 10, "priority", "high", ""),
      moved("102", 20, "priority", "", "hast"),
    ];
    expect(told({ changes })).toEqual(["created @0 high"]);
  });
  it("changed twice in one second is one entry with both moves", () => {
    const changes = [
      ...creation(0, { priority: "low" }),
      moved("101", 10, "priority", "low", "high"),
      moved("102", 10, "priority", "high", "low"),
    ];
    expect(told({ changes })).toEqual(["created @0 low", "escalated @10 high>low low>high"]);
  });
});

describe("status", () => {
  it("going to solved and back to an unsolved one gives both, with the priority of that moment", () => {
    const changes = [
      ...creation(0, { status: "new", priority: "urgent" }),
      moved("101", 10, "status", "new", "solved"),
      moved("102", 20, "priority", "urgent", "low"),
      moved("103", 30, "status", "solved", "open"),
    ];
    expect(told({ changes })).toEqual([
      "created @0 urgent",
      "solved @10 urgent",
      "escalated @20 urgent>low",
      "reopened @30 low",
    ]);
  });
  it("and priority changed in one update: the moment has the new priority, in whatever order they stand", () => {
    const both = [moved("101", 10, "status", "open", "solved"), moved("101", 10, "priority", "low", "urgent")];
    const expected = ["created @0 low", "escalated @10 low>urgent", "solved @10 urgent"];
    expect(told({ changes: [...creation(0, { status: "open", priority: "low" }), ...both] })).toEqual(expected);
    expect(told({ changes: [...creation(0, { status: "open", priority: "low" }), ...both.reverse()] })).toEqual(
      expected,
    );
  });
  it("of two updates in one second follows their ids, not the order of the page", () => {
    const changes = [
      moved("103", 10, "status", "solved", "pending"),
      ...creation(0, { status: "open" }),
      moved("99999999999999999", 10, "status", "pending", "solved"),
      moved("102", 10, "status", "open", "solved"),
    ];
    expect(told({ changes: [...changes, moved("100000000000000000", 11, "status", "solved", "open")] })).toEqual([
      "created @0 none",
      "reopened @10 none",
      "solved @10 none",
      "reopened @11 none",
    ]);
  });
  it("straight to closed is no solve, even where the metric set has a solved_at", () => {
    const changes = [...creation(0, { status: "open" }), moved("101", 10, "status", "open", "closed")];
    expect(told({ solvedAt: at(11), changes })).toEqual(["created @0 none"]);
  });
  it("solved to closed is nothing, and deletion and restoring are no transitions", () => {
    const changes = [
      ...creation(0, { status: "open" }),
      moved("101", 10, "status", "open", "solved"),
      moved("102", 20, "status", "solved", "deleted"),
      moved("103", 30, "status", "deleted", "solved"),
      moved("104", 40, "status", "solved", "closed"),
    ];
    expect(told({ solvedAt: at(10), changes })).toEqual(["created @0 none", "solved @10 none"]);
  });
  it("that is custom counts by its category", () => {
    const changes = [
      ...creation(0, { status: "open" }),
      moved("101", 10, "status", "open", "Løst"),
      moved("101", 10, "custom_status_id", "1", "7"),
      moved("102", 20, "status", "Løst", "Venter"),
    ];
    expect(
      told({ changes }, [
        ["7", "solved"],
        ["venter", "pending"],
      ]),
    ).toEqual(["created @0 none", "solved @10 none", "reopened @20 none"]);
  });
  it("known only by the custom status that changed counts by that", () => {
    const changes = [
      ...creation(0),
      moved("101", 10, "custom_status_id", "1", "7"),
      moved("102", 20, "custom_status_id", "7", "8"),
    ];
    expect(
      told({ changes }, [
        ["7", "solved"],
        ["8", "solved"],
      ]),
    ).toEqual(["created @0 none", "solved @10 none"]);
  });
});

describe("a solve that only the metric set knows", () => {
  it("is derived where the history begins later", () => {
    const changes = [moved("900", 500, "status", "solved", "closed")];
    expect(told({ createdAt: at(0), solvedAt: at(100), priority: "high", changes })).toEqual([
      "created @0 * high",
      "solved @100 * high",
    ]);
  });
  it("has the priority of its moment where the history tells it", () => {
    const changes = [...creation(0, { status: "open", priority: "high" }), moved("101", 10, "priority", "high", "low")];
    expect(told({ solvedAt: at(20), changes })).toEqual([
      "created @0 high",
      "escalated @10 high>low",
      "solved @20 * low",
    ]);
  });
  it("gives way to the event of the same solve, seconds apart", () => {
    const changes = [...creation(0, { status: "open" }), moved("101", 12, "status", "open", "solved")];
    expect(told({ solvedAt: at(10), changes })).toEqual(["created @0 none", "solved @12 none"]);
    expect(told({ createdAt: at(0), solvedAt: at(10), changes: changes.slice(2) })).toEqual([
      "created @0 * none",
      "solved @12 none",
    ]);
  });
  it("is not believed against a history that was read through that moment", () => {
    const changes = [...creation(0, { status: "open" }), moved("101", 900, "status", "open", "pending")];
    expect(told({ solvedAt: at(300), changes })).toEqual(["created @0 none"]);
  });
  it("is not repeated when the metric set keeps an earlier solve after a reopening", () => {
    const changes = [
      ...creation(0, { status: "open" }),
      moved("101", 100, "status", "open", "solved"),
      moved("102", 200, "status", "solved", "open"),
    ];
    expect(told({ solvedAt: at(100), changes })).toEqual(["created @0 none", "solved @100 none", "reopened @200 none"]);
  });
});

describe("a bad rating", () => {
  it("is an entry at its instant, whatever the priority, with its comment", () => {
    expect(told({ badRatings: [bad(10, { comment: "slow" })] })).toEqual(["rating_bad @10 none slow"]);
  });
  it("is cut to the whole second", () => {
    expect(told({ badRatings: [bad(10.75, { system: "survey" })] })).toEqual(["rating_bad @10 none"]);
  });
  it("told by both systems is one entry, and two answers are two", () => {
    const survey = bad(12.4, { system: "survey", comment: "why" });
    expect(told({ badRatings: [bad(10), survey] })).toEqual(["rating_bad @12 none why"]);
    expect(told({ badRatings: [bad(10), { ...survey, ratedAt: at(5000) }] })).toEqual([
      "rating_bad @10 none",
      "rating_bad @5000 none why",
    ]);
  });
});

it("a deleted ticket has no entries", () => {
  expect(
    told({ deleted: true, createdAt: at(0), solvedAt: at(9), changes: creation(0), badRatings: [bad(3)] }),
  ).toEqual([]);
});
