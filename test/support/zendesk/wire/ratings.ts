import { isoSeconds } from "../world/clock.ts";
import type { Rating, SurveyAnswer, SurveyResponse } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { distorted } from "./distort.ts";
import { type Wire, wireId } from "./json.ts";

export function ratingRow(world: World, base: string, rating: Rating): Wire {
  return distorted(world, "rating", rating.id, {
    url: `${base}/api/v2/satisfaction_ratings/${rating.id}.json`,
    id: wireId(rating.id),
    assignee_id: wireId(rating.assigneeId),
    group_id: wireId(rating.groupId),
    requester_id: wireId(rating.requesterId),
    ticket_id: wireId(rating.ticketId),
    score: rating.score,
    created_at: isoSeconds(rating.createdAt),
    updated_at: isoSeconds(rating.updatedAt),
    comment: rating.comment,
    reason: rating.reason ?? "No reason provided",
    reason_id: null,
  });
}

/** A survey response: its ticket stands in `subjects` alone, times have milliseconds, there is no assignee. */
export function surveyRow(world: World, response: SurveyResponse): Wire {
  const zrn = `zen:ticket:${response.ticketId}`;
  return distorted(world, "rating", response.id, {
    id: response.id,
    responder_id: wireId(response.responderId),
    subject_zrns: [zrn],
    subjects: [{ id: response.ticketId, type: "ticket", zrn }],
    survey: { id: "01J00000000000000000SURVEY", version: 1, state: "enabled" },
    expires_at: new Date(response.expiresAt).toISOString(),
    answers: response.answers.map((answer) => answerRow(answer)),
  });
}

function answerRow(answer: SurveyAnswer): Wire {
  const question = { id: `question-${answer.kind}`, type: answer.kind, sub_type: answer.subType };
  return {
    type: answer.kind,
    question: answer.kind === "rating_scale" ? { ...question, type: "rating_scale_emoji" } : question,
    ...(answer.kind === "rating_scale" && { rating: answer.rating, rating_category: answer.category }),
    ...(answer.kind === "open_ended" && { value: answer.value }),
    ...(answer.kind === "closed_ended" && { selections: [{ type: "predefined", option_id: answer.value }] }),
    skipped: answer.skipped,
    created_at: new Date(answer.createdAt).toISOString(),
    updated_at: new Date(answer.updatedAt).toISOString(),
  };
}
