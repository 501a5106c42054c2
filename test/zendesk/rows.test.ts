import { describe, expect, it } from "vitest";
import { ticketEventRows } from "#lib/zendesk/event-rows.ts";
import { legacyRatingRow, surveyRatingRow } from "#lib/zendesk/rating-rows.ts";
import { RowReader } from "#lib/zendesk/row-reader.ts";
import { organizationRow, ticketRow, userRow } from "#lib/zendesk/rows.ts";

const read = new RowReader();

describe("a ticket", () => {
  const wire = {
    id: 7,
    generated_timestamp: 1_700_000_000,
    updated_at: "2023-11-14T22:00:00Z",
    status: "open",
    tags: ["a"],
    via: { channel: "web" },
    metric_set: { solved_at: "2023-11-14T21:00:00Z", reopens: 2 },
  };
  const make = (change: object = {}) =>
    ticketRow(new RowReader(), { ...wire, ...change }, JSON.stringify({ ...wire, ...change }));

  it("takes its version from the export, or from updated_at when it was fetched by id", () => {
    expect(make()).toMatchObject({
      id: "7",
      generatedTimestamp: 1_700_000_000,
      channel: "web",
      reopens: 2,
      solvedAt: new Date("2023-11-14T21:00:00Z"),
    });
    expect(make({ generated_timestamp: undefined })).toMatchObject({
      generatedTimestamp: Date.parse("2023-11-14T22:00:00Z") / 1000,
    });
    expect(make({ metric_set: undefined })).toMatchObject({ solvedAt: null, reopens: null });
  });

  it("is deleted by its status or by the words of a scrub, and merged by its tag when closed", () => {
    expect(make({ status: "deleted" }).deletedAt).toEqual(new Date(1_700_000_000_000));
    expect(make({ subject: "SCRUBBED", description: "X" }).deletedAt).not.toBeNull();
    expect(make({ subject: "SCRUBBED", description: "about scrubbing" }).deletedAt).toBeNull();
    expect(make({ status: "closed", tags: ["closed_by_merge"] }).merged).toBe(true);
    expect(make({ status: "open", tags: ["closed_by_merge"] }).merged).toBe(false);
  });

  it("has a hash that follows whatever it stores", () => {
    expect(make().contentHash).toBe(make().contentHash);
    expect(make().contentHash).toMatch(/^-?\d{1,19}$/);
    const hashes = [{}, { status: "solved" }, { custom_fields: [{ id: 1, value: "x" }] }, { tags: [] }].map(
      (change) => make(change).contentHash,
    );
    expect(new Set(hashes).size).toBe(4);
  });

  it("is the same content under another host's address", () => {
    const at = (host: string) =>
      make({
        url: `https://${host}/api/v2/tickets/42.json`,
        metric_set: { url: `https://${host}/m"\\.json`, reopens: 1 },
      });
    expect(at("help.acme.example").contentHash).toBe(at("acme.zendesk.com").contentHash);
    expect(at("acme.zendesk.com").contentHash).not.toBe(make({ metric_set: { reopens: 2 } }).contentHash);
  });
});

describe("an event", () => {
  const event = { id: 5, ticket_id: 7, timestamp: 1_700_000_000, updater_id: 9 };

  it("gives a row for each change the timeline reads, in order, and one for the creation", () => {
    const rows = ticketEventRows(read, {
      ...event,
      child_events: [
        { id: 1, event_type: "Comment", comment_public: true },
        { id: 2, event_type: "Create", subject: "Hello" },
        { id: 3, event_type: "Create", priority: "low" },
        { id: 4, event_type: "Change", priority: "urgent", previous_value: "low" },
        { id: 5, event_type: "Change", assignee_id: 12, previous_value: null },
      ],
    });
    expect(rows.map(({ field, kind, value, previous }) => [field, kind, value, previous])).toEqual([
      ["created", "create", null, null],
      ["priority", "create", "low", null],
      ["priority", "change", "urgent", "low"],
      ["assignee_id", "change", "12", null],
    ]);
    expect(rows[0]).toMatchObject({ id: "5", ticketId: "7", updaterId: "9", occurredAt: new Date(1_700_000_000_000) });
  });

  it("without children, or with none that matters, gives nothing", () => {
    expect(ticketEventRows(read, { ...event, child_events: [] })).toEqual([]);
    expect(ticketEventRows(read, { ...event, child_events: null })).toEqual([]);
    expect(ticketEventRows(read, { ...event, child_events: [null, 5, { event_type: "Change", tags: ["x"] }] })).toEqual(
      [],
    );
  });
});

describe("a rating", () => {
  const survey = (answers: object[], rest: object = {}) =>
    surveyRatingRow(read, {
      id: "01H",
      subjects: [{ id: "7", type: "ticket", zrn: "zen:ticket:7" }],
      answers,
      ...rest,
    });
  const satisfaction = {
    type: "rating_scale",
    question: { sub_type: "customer_satisfaction" },
    created_at: "2026-01-01T00:00:00.000Z",
  };

  it("of the old system counts as good or bad, dated by its change", () => {
    const wire = { id: 1, ticket_id: 7, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-03T00:00:00Z" };
    expect(legacyRatingRow(read, { ...wire, score: "good" })).toMatchObject({
      category: "good",
      ratedAt: new Date("2026-01-03T00:00:00Z"),
    });
    for (const score of ["offered", "unoffered", "splendid", null, "goodish"]) {
      expect(legacyRatingRow(read, { ...wire, score })).toMatchObject({ score, category: null, ratedAt: null });
    }
  });

  it("of the new system is the satisfaction question's answer, at its own instant", () => {
    const row = survey([
      {
        type: "rating_scale",
        rating: 1,
        rating_category: "bad",
        question: { sub_type: "other" },
        updated_at: "2026-01-09T00:00:00.000Z",
      },
      { ...satisfaction, rating: 3, rating_category: "neutral", updated_at: "2026-01-02T03:04:05.678Z" },
      { type: "open_ended", value: "So so", question: { sub_type: "other" } },
    ]);
    expect(row).toMatchObject({
      ticketId: "7",
      category: "neutral",
      score: "neutral",
      comment: "So so",
      ratedAt: new Date("2026-01-02T03:04:05.678Z"),
    });
  });

  it("that was skipped, or not given, counts for nothing", () => {
    expect(survey([{ ...satisfaction, rating_category: "good", skipped: true }])).toMatchObject({
      category: null,
      ratedAt: null,
    });
    expect(survey([])).toMatchObject({ score: null, category: null });
    expect(survey([{ ...satisfaction, rating_category: "superb", updated_at: "2026-01-02T00:00:00Z" }])).toMatchObject({
      score: "superb",
      category: null,
      ratedAt: null,
    });
  });

  it("finds its ticket by subject or by name, and is none when it is about something else", () => {
    expect(survey([], { subjects: [], subject_zrns: ["zen:article:1", "zen:ticket:42"] })?.ticketId).toBe("42");
    expect(survey([], { subjects: [{ id: "9", type: "conversation" }], subject_zrns: [] })).toBeNull();
    for (const subject of [
      { subjects: [{ id: "9999999999999999999", type: "ticket" }], subject_zrns: [] },
      { subjects: [], subject_zrns: ["zen:ticket:12.5"] },
      { subjects: [{ id: null, type: "ticket" }], subject_zrns: [] },
    ])
      expect(() => survey([], subject)).toThrow(RangeError);
  });
});

describe("an organization and a user", () => {
  it("keep custom fields as text, and leave nulls out", () => {
    const row = organizationRow(new RowReader(), {
      id: 1,
      name: "A",
      organization_fields: { plan: "gold", seats: 12, vip: true, none: null, empty: "", list: ["a", "b"] },
    });
    expect(row.fields).toEqual([
      ["empty", ""],
      ["list", '["a","b"]'],
      ["plan", "gold"],
      ["seats", "12"],
      ["vip", "true"],
    ]);
  });

  it("stay as inactive when they were deleted", () => {
    const updated = "2026-01-01T00:00:00Z";
    expect(userRow(read, { id: 1, active: false, updated_at: updated })).toMatchObject({
      active: false,
      deletedAt: new Date(updated),
    });
    expect(userRow(read, { id: 1, active: true, updated_at: updated }).deletedAt).toBeNull();
  });
});
