import { ChangeIndex } from "./change-index.ts";
import { DAY } from "./clock.ts";
import { type Id, ulid } from "./ids.ts";
import type { Change, Rating, SurveyAnswer, SurveyResponse, Ticket } from "./rows.ts";
import type { World } from "./world.ts";

export interface RatingInput {
  comment?: string | null;
  reason?: string | null;
  /** Survey only: 1 to 5. Default: what fits the category. */
  rating?: number;
}

export interface GivenAnswer {
  ticketId: Id;
  system: "legacy" | "survey";
  score: string;
  comment: string | null;
  at: number;
}

const surveyRatings: Record<string, number> = { good: 5, neutral: 3, bad: 1 };

/** Answers about satisfaction in both systems; which one takes a new answer is the account's setting. */
export class Ratings {
  /** Every answer ever given, changed ones included, in the order of giving. */
  readonly given: GivenAnswer[] = [];
  /** In the order of creation. */
  readonly legacy = new ChangeIndex<Rating>((row) => row.createdAt);
  private readonly responses: SurveyResponse[] = [];
  private responsesSorted = true;
  private readonly newestLegacy = new Map<Id, Rating>();
  private readonly newestSurvey = new Map<Id, SurveyResponse>();

  constructor(private readonly world: World) {}

  /** Whether the ticket can be rated now: a survey is not over, legacy ratings never are. */
  canRate(ticketId: Id): boolean {
    const { satisfaction } = this.world.settings;
    const expiresAt = this.newestSurvey.get(ticketId)?.expiresAt ?? Number.POSITIVE_INFINITY;
    return satisfaction === "legacy" || (satisfaction === "survey" && expiresAt > this.world.now());
  }

  /** Survey responses by id, which is the order of creation. */
  surveys(): readonly SurveyResponse[] {
    if (!this.responsesSorted) this.responses.sort((a, b) => (a.id < b.id ? -1 : 1));
    this.responsesSorted = true;
    return this.responses;
  }

  /** Asks the requester: an `offered` rating, or a survey response without answers. */
  offer(ticketId: Id): void {
    const ticket = this.world.tickets.existing(ticketId);
    if (this.world.settings.satisfaction === "survey") this.startSurvey(ticket);
    if (this.world.settings.satisfaction !== "legacy") return;
    this.startRating(ticket, "offered", {});
    const previous = ticket.satisfaction?.score ?? null;
    ticket.satisfaction = { score: "offered" };
    this.world.tickets.commit(ticket, [scoreChange("offered", previous)], { channel: "rule", rel: "automation" });
  }

  /** The requester answers, or changes the answer. `score` is `good` or `bad`, `neutral` in surveys, or any text. */
  rate(ticketId: Id, score: string, input: RatingInput = {}): void {
    const ticket = this.world.tickets.existing(ticketId);
    const { satisfaction } = this.world.settings;
    if (satisfaction === "none") throw new Error("This account asks for no ratings");
    if (satisfaction === "survey") this.answerSurvey(ticket, score, input);
    else this.answerLegacy(ticket, score, input);
    const comment = input.comment ?? null;
    this.given.push({ ticketId, system: satisfaction, score, comment, at: this.world.now() });
  }

  private answerLegacy(ticket: Ticket, score: string, input: RatingInput): void {
    const newest = this.newestLegacy.get(ticket.id);
    const again = newest !== undefined && this.world.settings.ratingMode === "mutate";
    const rating = again ? newest : this.startRating(ticket, score, input);
    const { comment = null, reason = null } = input;
    Object.assign(rating, { score, comment, reason, updatedAt: this.world.now() });
    const previous = ticket.satisfaction?.score ?? null;
    ticket.satisfaction = { id: rating.id, score, comment, reason: reason ?? "No reason provided", reasonId: null };
    const changes = [scoreChange(score, previous)];
    if (comment !== null) {
      changes.push({ kind: "Change", field: "satisfaction_comment", value: comment, previous: null });
    }
    this.world.tickets.commit(ticket, changes, { by: ticket.requesterId });
  }

  private answerSurvey(ticket: Ticket, category: string, input: RatingInput): void {
    const open = this.newestSurvey.get(ticket.id);
    const now = this.world.now();
    if (open !== undefined && open.expiresAt <= now) throw new Error(`The survey of ticket ${ticket.id} has expired`);
    const response = open ?? this.startSurvey(ticket);
    const rating = input.rating ?? surveyRatings[category] ?? null;
    upsertAnswer(response, now, { kind: "rating_scale", subType: "customer_satisfaction", rating, category });
    if (input.reason != null) upsertAnswer(response, now, { kind: "closed_ended", value: input.reason });
    if (input.comment != null) upsertAnswer(response, now, { kind: "open_ended", value: input.comment });
  }

  private startRating(ticket: Ticket, score: string, input: RatingInput): Rating {
    const now = this.world.now();
    const rating: Rating = {
      id: this.world.ids.next(),
      ticketId: ticket.id,
      requesterId: ticket.requesterId,
      assigneeId: ticket.assigneeId,
      groupId: ticket.groupId,
      score,
      comment: input.comment ?? null,
      reason: input.reason ?? null,
      createdAt: now,
      updatedAt: now,
    };
    this.legacy.add(rating);
    this.newestLegacy.set(ticket.id, rating);
    return rating;
  }

  private startSurvey(ticket: Ticket): SurveyResponse {
    const now = this.world.now();
    const response: SurveyResponse = {
      id: ulid(now, this.responses.length),
      ticketId: ticket.id,
      responderId: ticket.requesterId,
      createdAt: now,
      expiresAt: now + this.world.settings.surveyDays * DAY,
      answers: [],
    };
    const last = this.responses.at(-1);
    if (last !== undefined && last.id > response.id) this.responsesSorted = false;
    this.responses.push(response);
    this.newestSurvey.set(ticket.id, response);
    return response;
  }
}

function scoreChange(value: string, previous: string | null): Change {
  return { kind: "Change", field: "satisfaction_score", value, previous };
}

/** An answer keeps its creation time when it is changed. */
function upsertAnswer(
  response: SurveyResponse,
  now: number,
  answer: Partial<SurveyAnswer> & Pick<SurveyAnswer, "kind">,
): void {
  const existing = response.answers.find((other) => other.kind === answer.kind);
  if (existing !== undefined) {
    Object.assign(existing, answer, { updatedAt: now });
    return;
  }
  response.answers.push({
    subType: "other",
    rating: null,
    category: null,
    value: null,
    skipped: false,
    createdAt: now,
    updatedAt: now,
    ...answer,
  });
}
