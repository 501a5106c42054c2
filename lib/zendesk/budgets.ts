import type { Told } from "#lib/zendesk/announcements.ts";

/**
 * What a request is to Zendesk's limits. All but those of customer events draw from the account's budget, most from others
 * besides.
 */
export type Endpoint =
  | "list"
  | "deep_list"
  | "incremental"
  | "incremental_users"
  | "ticket_update"
  | "organization_update"
  | "user_update"
  | "user_upsert"
  | "job"
  | "customer_events";

const second = 1000;
const minute = 60 * second;

interface Documented {
  limit: number;
  /** Milliseconds. */
  window: number;
  /** One for each ticket, organization or user, not one for the account. */
  perTarget?: true;
}

/** Zendesk's documented limits (zendesk-api sections 2.1 and 2.2), for as long as no answer has announced any. */
const documented: Record<string, Documented> = {
  account: { limit: 200, window: minute },
  incremental: { limit: 10, window: minute },
  incremental_users: { limit: 20, window: minute },
  deep_list: { limit: 50, window: minute },
  ticket_update: { limit: 100, window: minute },
  ticket: { limit: 30, window: 10 * minute, perTarget: true },
  organization: { limit: 5, window: minute, perTarget: true },
  user: { limit: 5, window: minute, perTarget: true },
  user_upsert: { limit: 1, window: second },
  // Zendesk limits those that are queued or running; nobody here knows when one of another client is done.
  job: { limit: 30, window: minute },
  // Of the smallest plan that has them.
  customer_events: { limit: 250, window: minute },
};

const drawsFrom: Record<Endpoint, string[]> = {
  list: [],
  deep_list: ["deep_list"],
  incremental: ["incremental"],
  incremental_users: ["incremental_users"],
  ticket_update: ["ticket_update", "ticket"],
  organization_update: ["organization"],
  user_update: ["user"],
  user_upsert: ["user_upsert", "user"],
  job: ["job"],
  customer_events: [],
};
/** The APIs of an account: each has one budget for all that is asked of it, whatever others it has (zendesk-api section 2.1). */
export type Api = "account" | "customer_events";

export const apiOf = (endpoint: Endpoint): Api => (endpoint === "customer_events" ? endpoint : "account");

/** The part of every budget that stays with the customer's other tools (row 5), and that part for an hour after a crude refusal (row 6). */
const leftToOthers = 0.2;
const leftWhileSlow = (1 + leftToOthers) / 2;
/** What others took in one window is left to them for so long (milliseconds), but never more than this part: we go on, slowly. */
const memory = 3_600_000;
const mostLeft = 0.9;

/** No announced window is believed to be longer. Seconds. */
const longestWindow = 30 * 60;
/** No answer makes us wait longer, so whoever seems to has a clock that was set back. Milliseconds. */
export const longestSilence = 20 * minute;

/** One budget of a Zendesk account. Instants and lengths in milliseconds. */
export interface Budget {
  bucket: string;
  /** The endpoints in whose answers it was announced. */
  drawnBy: string[];
  announced: boolean;
  limit: number;
  /** What Zendesk has left, for everybody, until `resetAt`. */
  remaining: number;
  /** What we took of it, since `countedFrom`. */
  used: number;
  countedFrom: number;
  /** The most that others took in one window, and when that was last seen. */
  others: number;
  othersAt: number;
  window: number;
  resetAt: number;
  lastTakenAt: number;
  /** When we took of a budget that was not announced, oldest first: nobody tells where Zendesk's own window begins. */
  recent: number[];
}

/** The names of what a request draws from by the documentation. */
export function bucketsOf(endpoint: Endpoint, target: string | undefined): string[] {
  const own = drawsFrom[endpoint].flatMap((name) => {
    if (!documented[name]?.perTarget) return [name];
    return target === undefined ? [] : [`${name}:${target}`];
  });
  return [apiOf(endpoint), ...own];
}

/** Whether what an answer announced for the endpoint took this documented budget's place. */
export function isReplaced(bucket: string, endpoint: Endpoint, known: Pick<Budget, "drawnBy">[]): boolean {
  return drawsFrom[endpoint].includes(bucket) && known.some(({ drawnBy }) => drawnBy.includes(endpoint));
}

export function isPerTarget(bucket: string): boolean {
  return bucket.includes(":");
}

/** A budget that nothing was taken from, as documented. */
export function documentedBudget(bucket: string, now: number): Budget {
  const { limit, window } = documentedOf(bucket);
  return fullBudget(bucket, limit, window, now);
}

/** What a request has to wait, in milliseconds, until this budget lets it go. */
export function waitFor(budget: Budget, now: number, slow: boolean): number {
  const { remaining, used, resetAt, lastTakenAt, limit, others } = rolled(budget, now);
  const reserved = Math.floor(limit * (slow ? leftWhileSlow : leftToOthers));
  const stillToCome = Math.min(others, Math.floor(limit * mostLeft)) - (limit - remaining - used);
  const spare = remaining - Math.max(reserved, stillToCome);
  const timeLeft = resetAt - now;
  if (spare <= 0) return timeLeft;
  const crowd = waitForOwn(budget, now, limit - reserved);
  // The first half of a window goes freely, so that a short run is a quick one; the rest is spread over the time left.
  if (remaining > limit / 2 && !slow) return crowd;
  return Math.max(crowd, lastTakenAt + timeLeft / (spare + 1) - now);
}

/** The budget after one more request. */
export function taken(budget: Budget, now: number): Budget {
  const here = rolled(budget, now);
  const recent = budget.announced ? [] : [...recentOf(budget, now), now];
  return { ...here, remaining: here.remaining - 1, used: here.used + 1, lastTakenAt: now, recent };
}

/** The budget after Zendesk has asked for silence: nothing is left of it for so long (milliseconds). */
export function exhausted(budget: Budget, now: number, wait: number): Budget {
  const here = rolled(budget, now);
  return { ...here, remaining: 0, resetAt: Math.max(now + wait, here.remaining > 0 ? 0 : here.resetAt) };
}

/**
 * The budget after an answer has told of it. `known` is what stood for it so far, also the documented one; `uncounted` are
 * requests of ours that are in none of its counts.
 */
export function announced(
  known: Budget | undefined,
  bucket: string,
  told: Told,
  endpoint: Endpoint,
  now: number,
  uncounted = 0,
): Budget {
  const resets = told.resets === null ? null : Math.min(told.resets, longestWindow) * second;
  const length = Math.max(known?.window ?? documentedOf(bucket).window, resets ?? 0);
  const before = known ? rolled(known, now) : fullBudget(bucket, told.limit, length, now);
  const resetAt = resets === null ? before.resetAt : now + resets;
  // Seconds are rounded, and answers overtake each other: within a window, what is left never grows.
  const sameWindow = before.announced && resets !== null && Math.abs(resetAt - before.resetAt) <= 1500;
  // A window that began while we counted for another one says nothing of others: all that is gone may have been ours.
  const isCounted = sameWindow || resets === null || resetAt - length >= before.countedFrom - 2 * second;
  // What is on its way to Zendesk is gone, though the answer to an earlier request does not know of it.
  const remaining =
    sameWindow && before.limit === told.limit ? Math.min(before.remaining, told.remaining) : told.remaining;
  const gone = Math.max(0, told.limit - remaining);
  const used = isCounted ? Math.min(Math.max(before.used + uncounted, 1), gone) : gone;
  return {
    ...before,
    ...(sameWindow ? seenOthers(before, told, used, now) : {}),
    bucket,
    announced: true,
    drawnBy: bucket === apiOf(endpoint) || isPerTarget(bucket) ? [] : [...new Set([...before.drawnBy, endpoint])],
    window: length,
    limit: told.limit,
    remaining,
    used,
    resetAt: sameWindow ? Math.max(before.resetAt, resetAt) : resetAt,
    recent: [],
  };
}

/**
 * What others take is only known within a window that we have counted from its beginning; and where nothing is left, they
 * would have taken more.
 */
function seenOthers(budget: Budget, told: Told, used: number, now: number): Pick<Budget, "others" | "othersAt"> {
  const others = now - budget.othersAt > memory ? 0 : budget.others;
  const took = told.limit - told.remaining - used;
  const seen = told.remaining > 0 ? took : Math.max(took, others) + Math.ceil(told.limit * leftToOthers);
  if (seen < others * mostLeft) return { others, othersAt: budget.othersAt };
  return { others: Math.min(told.limit, Math.max(others, seen)), othersAt: now };
}

/** A clock that was set back, or a window that is over: everything is there again. */
function rolled(budget: Budget, now: number): Budget {
  const { limit, window, resetAt, remaining } = budget;
  const longest = remaining > 0 ? window : Math.max(window, longestSilence);
  if (now < resetAt && resetAt - now <= longest + minute) return budget;
  return { ...budget, remaining: limit, used: 0, countedFrom: Math.min(resetAt, now), resetAt: now + window };
}

/** Where no window is announced: until every window, wherever it begins, has room for one more of our own. */
function waitForOwn(budget: Budget, now: number, allowed: number): number {
  const recent = recentOf(budget, now);
  const leaves = recent[recent.length - allowed];
  return leaves === undefined ? 0 : leaves + budget.window - now;
}

function recentOf({ recent, window }: Budget, now: number): number[] {
  return recent.filter((at) => at > now - window && at <= now + window);
}

function fullBudget(bucket: string, limit: number, window: number, now: number): Budget {
  return {
    bucket,
    drawnBy: [],
    announced: false,
    limit,
    remaining: limit,
    used: 0,
    countedFrom: 0,
    others: 0,
    othersAt: now,
    window,
    resetAt: now + window,
    lastTakenAt: now,
    recent: [],
  };
}

function documentedOf(bucket: string): Documented {
  return documented[bucket.split(":")[0] ?? ""] ?? { limit: Number.MAX_SAFE_INTEGER, window: minute };
}
