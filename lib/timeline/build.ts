import {
  type Audit,
  auditsInOrder,
  changesOf,
  isCreation,
  type StatusCategories,
  statusSteps,
  type TicketChange,
  wholeSecond,
} from "./audits.ts";
import { higherPriority, isUnsolved, type PriorityMove, priorityMove, type StatusCategory } from "./kinds.ts";
import type { TimelineKind } from "./shapes.ts";

/** All that is known of one ticket's past. */
export interface TicketHistory {
  createdAt: Date | null;
  /** The latest solve according to the metric set. */
  solvedAt: Date | null;
  /** As it is now. */
  priority: string | null;
  deleted: boolean;
  /** In any order. Complete from the creation on if a `create` is among them; else from where the event history begins. */
  changes: readonly TicketChange[];
  /** Bad answers, those that the customer changed later too. */
  badRatings: readonly BadRating[];
}

export interface BadRating {
  system: string;
  ratedAt: Date;
  comment: string | null;
}

/** One moment of a ticket. `moves`: the priority changes of that second, of which the workspace's top set makes escalations. */
export interface Moment {
  kind: TimelineKind;
  occurredAt: Date;
  priorityThen: string | null;
  /** True where the ticket's own fields gave it, since its event history does not reach back. */
  derived: boolean;
  moves: PriorityMove[];
  comment: string | null;
}

/** Sources that tell of one and the same transition may differ by so many seconds. */
const SAME_TRANSITION_SECONDS = 60;

/** What the event history told, replayed. */
interface Replay {
  creation: Audit | null;
  /** Oldest change that is known, in Unix seconds; null without any. */
  firstSecond: number | null;
  /** Priority from each second on; the first entry holds before it too. */
  priorities: { since: number; priority: string | null }[];
  /** Where the status went, step by step; `finishes` a ticket that was unsolved: a solve, or a close without one. */
  statuses: { second: number; category: StatusCategory; finishes: boolean }[];
}

/**
 * The moments of one ticket (metrics.md, Timeline), each (kind, second) once. The ticket events are the source; the
 * ticket's own fields speak where the events do not reach. A deleted ticket has none.
 */
export function buildTimeline(history: TicketHistory, custom: StatusCategories): Moment[] {
  if (history.deleted) return [];
  const moments = new Moments();
  const replay = replayAudits(history, custom, moments);
  addCreation(history, replay, moments);
  addDerivedSolve(history, replay, moments);
  for (const rating of withoutMirrors(history.badRatings)) {
    const second = wholeSecond(rating.ratedAt);
    moments.add("rating_bad", second, { priorityThen: priorityAt(replay, second), comment: rating.comment });
  }
  return moments.all();
}

function replayAudits(history: TicketHistory, custom: StatusCategories, moments: Moments): Replay {
  const audits = auditsInOrder(history.changes);
  const creation = audits.find(isCreation) ?? null;
  let priority = creation ? null : priorityBefore(audits, history.priority);
  let category: StatusCategory | null = null;
  const first = audits[0]?.second ?? null;
  const replay: Replay = { creation, firstSecond: first, priorities: [{ since: first ?? 0, priority }], statuses: [] };
  for (const audit of audits) {
    for (const change of changesOf(audit, "priority")) {
      const to = wordOf(change.value);
      const move = change.kind === "change" ? priorityMove(wordOf(change.previous) ?? priority, to) : null;
      if (move) moments.add("ticket_escalated", audit.second, { priorityThen: to, moves: [move] });
      priority = to;
      replay.priorities.push({ since: audit.second, priority });
    }
    // One update is one moment: "at that moment" is after all of it, in whatever order its changes stand.
    for (const step of statusSteps(audit, custom)) {
      const from: StatusCategory | null = step.from ?? category;
      if (step.to === "solved" && from !== "solved")
        moments.add("ticket_solved", audit.second, { priorityThen: priority });
      if (from === "solved" && isUnsolved(step.to))
        moments.add("ticket_reopened", audit.second, { priorityThen: priority });
      category = step.to;
      replay.statuses.push({ second: audit.second, category, finishes: !isUnsolved(category) && from !== "solved" });
    }
  }
  return replay;
}

/** What the priority was where the history begins: what its first change says, else today's if it never changed. */
function priorityBefore(audits: readonly Audit[], current: string | null): string | null {
  const first = audits.flatMap((audit) => changesOf(audit, "priority"))[0];
  return first ? wordOf(first.previous) : current;
}

function addCreation(history: TicketHistory, replay: Replay, moments: Moments): void {
  const { creation } = replay;
  if (creation) {
    const set = changesOf(creation, "priority").find((change) => change.kind === "create");
    // A field without a Create child was null then, never today's value.
    moments.add("ticket_created", creation.second, { priorityThen: wordOf(set?.value ?? null) });
  } else if (history.createdAt) {
    const second = wholeSecond(history.createdAt);
    moments.add("ticket_created", second, { priorityThen: priorityAt(replay, second), derived: true });
  }
}

/**
 * The metric set knows when the ticket was last solved. It is believed where the events cannot know: before they begin, or
 * after they ended with the ticket unsolved (they are read after the tickets). The event of the same solve replaces it.
 */
function addDerivedSolve(history: TicketHistory, replay: Replay, moments: Moments): void {
  if (!history.solvedAt) return;
  const second = wholeSecond(history.solvedAt);
  const told = replay.statuses.some(
    (status) => status.finishes && Math.abs(status.second - second) <= SAME_TRANSITION_SECONDS,
  );
  const last = replay.statuses.at(-1);
  const before = !replay.creation && (replay.firstSecond === null || second < replay.firstSecond);
  const after = !last || (isUnsolved(last.category) && second > last.second);
  if (!told && (before || after)) {
    moments.add("ticket_solved", second, { priorityThen: priorityAt(replay, second), derived: true });
  }
}

/** Both systems may tell of one answer: the survey's record of it is kept. */
function withoutMirrors(ratings: readonly BadRating[]): BadRating[] {
  const surveys = ratings.filter((rating) => rating.system === "survey").map((rating) => wholeSecond(rating.ratedAt));
  return ratings.filter(
    (rating) =>
      rating.system === "survey" ||
      !surveys.some((second) => Math.abs(second - wholeSecond(rating.ratedAt)) <= SAME_TRANSITION_SECONDS),
  );
}

function priorityAt(replay: Replay, second: number): string | null {
  const known = replay.priorities;
  return (known.findLast((entry) => entry.since <= second) ?? known[0])?.priority ?? null;
}

/** Zendesk writes a missing value as null or as empty text. */
function wordOf(value: string | null): string | null {
  return value === "" ? null : value;
}

/** Collects moments, each (kind, second) once. */
class Moments {
  private readonly byKey = new Map<string, Moment>();

  add(kind: TimelineKind, second: number, moment: Partial<Moment>): void {
    const key = `${kind} ${second}`;
    const known = this.byKey.get(key);
    if (!known) {
      const plain = { priorityThen: null, derived: false, moves: [], comment: null };
      this.byKey.set(key, { ...plain, ...moment, kind, occurredAt: new Date(second * 1000) });
      return;
    }
    known.priorityThen = higherPriority(known.priorityThen, moment.priorityThen ?? null);
    known.moves = [...known.moves, ...(moment.moves ?? [])];
    known.comment ??= moment.comment ?? null;
  }

  all(): Moment[] {
    return [...this.byKey.values()];
  }
}
