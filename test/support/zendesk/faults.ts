import type { Answer } from "./server/answer.ts";
import type { ApiRequest } from "./server/request.ts";
import { type Random, seededRandom } from "./world/random.ts";

/** Which requests a fault meets. Everything given has to fit. */
export interface Match {
  subdomain?: string;
  method?: string;
  /** The beginning of the path below the account, or a pattern. `.json` is already gone. */
  path?: string | RegExp;
  /** Page of the list, counted from 1; a repeated request is the same page again. */
  page?: number | number[];
  /** Which of the requests that fit all else, counted from 1, repeated ones included. */
  nth?: number | number[];
  /** Every so many of them. */
  every?: number;
  query?: Record<string, string | RegExp>;
  when?: (request: ApiRequest) => boolean;
}

export interface Frequency {
  /** At most so often. Default: without end. */
  times?: number;
  /** Seeded, in [0, 1]. Default 1. */
  probability?: number;
  seed?: number;
}

/** How the bytes of an answer travel. */
export type Transport =
  | { kind: "hang" }
  | { kind: "silence-after-headers" }
  | { kind: "reset"; moment: "accept" | "headers" | "body" }
  | { kind: "delay"; milliseconds: number }
  | { kind: "dribble"; bytesPerSecond: number }
  /** Ends after `at` bytes of what would have been sent, or after that share of them when below 1. */
  | { kind: "truncate"; at: number; gzip?: boolean; framing?: "content-length" | "chunked" | "close" }
  | { kind: "gzip" };

export type Effect =
  /** Answers this instead of asking the account. */
  | { kind: "answer"; answer: Answer | ((request: ApiRequest) => Answer) }
  /** Runs before the account is asked: the world may move, tokens may end. */
  | { kind: "before"; run: (request: ApiRequest) => void | Promise<void> }
  /** Runs when the answer is ready and before it is sent. */
  | { kind: "after"; run: (request: ApiRequest, answer: Answer) => void | Promise<void> }
  /** Sends another answer than the account's. */
  | { kind: "change"; change: (answer: Answer, request: ApiRequest) => Answer }
  | { kind: "transport"; transport: Transport };

export interface Fault {
  /** Stands in the journal. */
  label: string;
  effects: Effect[];
}

/** A fault in force. */
export interface ActiveFault {
  readonly label: string;
  /** How often it has struck. */
  readonly strikes: number;
  remove(): void;
}

interface Rule {
  match: Match;
  fault: Fault;
  times: number;
  probability: number;
  random: Random;
  met: number;
  strikes: number;
}

/** Faults on demand. Several that fit one request work together; the first that answers for the account does so. */
export class Faults {
  private rules: Rule[] = [];

  add(match: Match, fault: Fault, frequency: Frequency = {}): ActiveFault {
    const rule: Rule = {
      match,
      fault,
      times: frequency.times ?? Number.POSITIVE_INFINITY,
      probability: frequency.probability ?? 1,
      random: seededRandom(frequency.seed ?? 1),
      met: 0,
      strikes: 0,
    };
    this.rules.push(rule);
    return {
      label: fault.label,
      get strikes() {
        return rule.strikes;
      },
      remove: () => {
        this.rules = this.rules.filter((other) => other !== rule);
      },
    };
  }

  /** Calls `run` before each fitting request is answered: rows committed between two pages. */
  before(match: Match, run: (request: ApiRequest) => void | Promise<void>, frequency?: Frequency): ActiveFault {
    return this.add(match, { label: "before", effects: [{ kind: "before", run }] }, frequency);
  }

  /** Calls `run` with each fitting answer before it is sent. */
  after(match: Match, run: (request: ApiRequest, answer: Answer) => void | Promise<void>): ActiveFault {
    return this.add(match, { label: "after", effects: [{ kind: "after", run }] });
  }

  clear(): void {
    this.rules = [];
  }

  /** The faults that strike this request now. */
  strike(request: ApiRequest): Fault[] {
    return this.rules.filter((rule) => strikes(rule, request)).map((rule) => rule.fault);
  }
}

function strikes(rule: Rule, request: ApiRequest): boolean {
  if (rule.strikes >= rule.times || !fits(rule.match, request)) return false;
  rule.met += 1;
  const { nth, every } = rule.match;
  if (nth !== undefined && ![nth].flat().includes(rule.met)) return false;
  if (every !== undefined && rule.met % every !== 0) return false;
  if (!rule.random.chance(rule.probability)) return false;
  rule.strikes += 1;
  return true;
}

function fits(match: Match, request: ApiRequest): boolean {
  if (match.subdomain !== undefined && match.subdomain !== request.subdomain) return false;
  if (match.method !== undefined && match.method !== request.method) return false;
  if (match.page !== undefined && ![match.page].flat().includes(request.page)) return false;
  if (typeof match.path === "string" && !request.path.startsWith(match.path)) return false;
  if (match.path instanceof RegExp && !match.path.test(request.path)) return false;
  for (const [name, wanted] of Object.entries(match.query ?? {})) {
    const value = request.query.get(name) ?? "";
    if (typeof wanted === "string" ? value !== wanted : !wanted.test(value)) return false;
  }
  return match.when?.(request) ?? true;
}
