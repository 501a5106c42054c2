import { ratingRow, surveyRow } from "../wire/ratings.ts";
import { compareIds } from "../world/ids.ts";
import type { Rating } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { type Answer, listedRefusal, ok, recordNotFound, titledRefusal } from "./answer.ts";
import { isVisible } from "./auth.ts";
import { countAnswer, listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";

/** Both satisfaction systems. */
export const satisfactionRoutes: Route[] = [
  {
    method: "GET",
    path: "/satisfaction_ratings",
    demands: { scope: "satisfaction_ratings" },
    answer: (call) => {
      refuseUnlessLegacy(call.request.world);
      return listRatings(call);
    },
  },
  {
    method: "GET",
    path: "/satisfaction_ratings/count",
    demands: { scope: "satisfaction_ratings" },
    answer: (call) => {
      refuseUnlessLegacy(call.request.world);
      return countAnswer(call.request, wantedRatings(call).length);
    },
  },
  {
    method: "GET",
    path: "/satisfaction_ratings/{id}",
    demands: { scope: "satisfaction_ratings" },
    answer: ({ request, params }) => {
      refuseUnlessLegacy(request.world);
      const rating = request.world.ratings.legacy.all().find((row) => row.id === params.id);
      if (rating === undefined) throw recordNotFound();
      return ok({ satisfaction_rating: ratingRow(request.world, request.base, rating) });
    },
  },
  {
    method: "GET",
    path: "/guide/survey_responses",
    demands: { scope: "hc" },
    noSuffix: true,
    answer: (call) => {
      refuseUnlessSurveys(call.request.world);
      return listSurveyResponses(call);
    },
  },
  {
    method: "GET",
    path: "/guide/survey_responses/{id}",
    demands: { scope: "hc" },
    noSuffix: true,
    answer: ({ request, params }) => {
      refuseUnlessSurveys(request.world);
      const response = request.world.ratings.surveys().find((row) => row.id === params.id);
      if (response === undefined) throw listedRefusal(404, "SurveyResponseNotFound", "Survey response not found");
      return ok({ survey_response: surveyRow(request.world, response) });
    },
  },
];

const scoreFilters: Record<string, (rating: Rating) => boolean> = {
  received: (rating) => isReceived(rating),
  received_with_comment: (rating) => isReceived(rating) && rating.comment !== null,
  received_without_comment: (rating) => isReceived(rating) && rating.comment === null,
  good_with_comment: (rating) => rating.score === "good" && rating.comment !== null,
  good_without_comment: (rating) => rating.score === "good" && rating.comment === null,
  bad_with_comment: (rating) => rating.score === "bad" && rating.comment !== null,
  bad_without_comment: (rating) => rating.score === "bad" && rating.comment === null,
};

function isReceived(rating: Rating): boolean {
  return rating.score === "good" || rating.score === "bad";
}

function listRatings(call: Call): Answer {
  const { world, base, query } = call.request;
  const rows = wantedRatings(call);
  const newestFirst = query.get("sort_order") === "desc" && !query.has("page[size]");
  return listAnswer(call.request, {
    key: "satisfaction_ratings",
    rows: newestFirst ? rows.toReversed() : rows,
    positionOf: (rating) => `${rating.createdAt}:${rating.id}`,
    compare: comparePositions,
    write: (rating) => ratingRow(world, base, rating),
  });
}

/** `start_time` and `end_time` bound the creation, in whole seconds: a rating changed later is not found by its change. */
function wantedRatings({ request, caller }: Call): Rating[] {
  const { world, query } = request;
  const from = Number(query.get("start_time") ?? 0) * 1000;
  const to = query.has("end_time") ? Number(query.get("end_time")) * 1000 + 999 : Number.POSITIVE_INFINITY;
  const score = query.get("score");
  const wanted = score === null ? () => true : (scoreFilters[score] ?? ((rating: Rating) => rating.score === score));
  const all = world.ratings.legacy.all();
  const rows: Rating[] = [];
  for (let position = world.ratings.legacy.position(from); position < all.length; position++) {
    const rating = all[position] as Rating;
    if (rating.createdAt > to) break;
    if (wanted(rating) && isVisible(world, caller, rating.ticketId)) rows.push(rating);
  }
  return rows;
}

function comparePositions(left: string, right: string): number {
  const [leftAt = "", leftId = ""] = left.split(":");
  const [rightAt = "", rightId = ""] = right.split(":");
  return Number(leftAt) - Number(rightAt) || compareIds(leftId, rightId);
}

function listSurveyResponses({ request, caller }: Call): Answer {
  const { world, query } = request;
  const from = Number(query.get("filter[created_at_start]") ?? 0);
  const to = Number(query.get("filter[created_at_end]") ?? Number.POSITIVE_INFINITY);
  const zrns = listOf(query.get("filter[subject_zrns]"));
  const responders = listOf(query.get("filter[responder_ids]"));
  const rows = world.ratings
    .surveys()
    .filter(
      (row) =>
        row.createdAt >= from &&
        row.createdAt <= to &&
        (zrns === null || zrns.includes(`zen:ticket:${row.ticketId}`)) &&
        (responders === null || responders.includes(row.responderId)) &&
        isVisible(world, caller, row.ticketId),
    );
  const descending = query.get("sort") === "-id";
  const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  if (!query.has("page[size]")) query.set("page[size]", "100");
  return listAnswer(request, {
    key: "survey_responses",
    rows: descending ? rows.reverse() : rows,
    positionOf: (row) => row.id,
    compare: descending ? (left, right) => order(right, left) : order,
    write: (row) => surveyRow(world, row),
  });
}

function listOf(text: string | null): string[] | null {
  return text === null ? null : text.split(",").map((part) => part.trim());
}

function refuseUnlessLegacy(world: World): void {
  const { legacyEndpoint, satisfaction } = world.settings;
  const runs = satisfaction === "legacy" || world.ratings.legacy.size > 0;
  const status = legacyEndpoint === "auto" ? (runs ? 200 : 403) : legacyEndpoint;
  if (status === 403) throw titledRefusal(403, "Forbidden", "Satisfaction ratings are not enabled for this account.");
  if (status === 404) throw recordNotFound();
}

function refuseUnlessSurveys(world: World): void {
  const { surveyEndpoint, satisfaction } = world.settings;
  const runs = satisfaction === "survey" || world.ratings.surveys().length > 0;
  const status = surveyEndpoint === "auto" ? (runs ? 200 : 404) : surveyEndpoint;
  if (status === 403) throw listedRefusal(403, "Forbidden", "Surveys are not enabled for this account");
  if (status === 404) throw listedRefusal(404, "NotFound", "Surveys are not enabled for this account");
}
