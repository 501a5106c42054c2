import { isObject } from "#lib/zendesk/answers.ts";
import { contentHash, idOf, type RowReader, type Wire } from "#lib/zendesk/row-reader.ts";
import type { RatingRow } from "#lib/zendesk/row-types.ts";
import { isBigint } from "#lib/zendesk/wire.ts";

/** A score with or without a comment is the same answer. */
const legacyCategory = /^(good|bad)(_with(?:out)?_comment)?$/;

export function legacyRatingRow(read: RowReader, wire: Wire): RatingRow {
  const score = read.text(wire, "score");
  const category = legacyCategory.exec(score ?? "")?.[1] as "good" | "bad" | undefined;
  const updatedAt = read.instant(wire, "updated_at");
  const createdAt = read.instant(wire, "created_at");
  return rated({
    system: "legacy",
    id: idOf(wire.id),
    ticketId: idOf(wire.ticket_id),
    score,
    category: category ?? null,
    comment: read.text(wire, "comment"),
    ratedAt: category ? (updatedAt ?? createdAt) : null,
    createdAt,
    updatedAt,
  });
}

/** Null when the response is about something other than a ticket. */
export function surveyRatingRow(read: RowReader, wire: Wire): RatingRow | null {
  const ticketId = ticketOf(wire);
  if (ticketId === null) return null;
  const given = (Array.isArray(wire.answers) ? wire.answers : []).filter(isObject);
  const answers = given.filter(isAnswer);
  const asked = answers.filter((answer) => (answer.question as Wire | undefined)?.sub_type === "customer_satisfaction");
  const answer = asked.sort((a, b) => answeredAt(a) - answeredAt(b)).at(-1);
  const score = answer ? read.text(answer, "rating_category") : null;
  const category = score === "good" || score === "neutral" || score === "bad" ? score : null;
  const comment = answers.find((other) => other.type === "open_ended" && typeof other.value === "string");
  const instants = new Map(
    given.map((one) => [one, read.instant(one, "updated_at") ?? read.instant(one, "created_at")]),
  );
  return rated({
    system: "survey",
    id: read.clean(String(wire.id)),
    ticketId,
    score,
    category,
    comment: comment ? read.text(comment, "value") : null,
    ratedAt: answer && category ? (instants.get(answer) ?? null) : null,
    createdAt: read.instant(wire, "created_at") ?? (answer ? read.instant(answer, "created_at") : null),
    // An answer that is taken back, skipped, is a newer version (row 33).
    updatedAt: newest([...instants.values()]),
  });
}

function rated(row: Omit<RatingRow, "contentHash">): RatingRow {
  return { ...row, contentHash: contentHash(...Object.values(row)) };
}

/** A skipped question is no answer. */
function isAnswer(answer: Wire): boolean {
  return answer.skipped !== true;
}

function newest(instants: readonly (Date | null)[]): Date | null {
  return instants.reduce((latest, at) => (at !== null && (latest === null || at > latest) ? at : latest), null);
}

function answeredAt(answer: Wire): number {
  const at = Date.parse(String(answer.updated_at ?? answer.created_at ?? ""));
  return Number.isNaN(at) ? 0 : at;
}

/** Null: it is about something else. Throws RangeError where it names a ticket that cannot be one, so that it is held (row 55). */
function ticketOf(wire: Wire): string | null {
  const subjects = (Array.isArray(wire.subjects) ? wire.subjects : []).filter(isObject);
  const zrns = [...(Array.isArray(wire.subject_zrns) ? wire.subject_zrns : []), ...subjects.map(({ zrn }) => zrn)];
  const ids = [
    ...subjects.filter(({ type }) => type === "ticket").map(({ id }) => String(id)),
    ...zrns.flatMap((zrn) => /^zen:ticket:(.*)$/.exec(String(zrn))?.[1] ?? []),
  ];
  const usable = ids.find(isBigint);
  if (usable === undefined && ids[0] !== undefined) throw new RangeError(`the ticket ${ids[0]} has no id that is one`);
  return usable ?? null;
}
