import { countWait, type WaitReason } from "#lib/monitoring/registry.ts";
import { baseUrl } from "#lib/zendesk/address.ts";
import { type Answer, failureOf, isHtml, readAnswer, WrongAnswer, wrongAnswer } from "#lib/zendesk/answers.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { parseHttpDate } from "#lib/zendesk/http-date.ts";
import type { Endpoint, Limiter } from "#lib/zendesk/limits.ts";
import { outcomeOf } from "#lib/zendesk/outcomes.ts";
import { backoff, parseRetryAfter } from "#lib/zendesk/retry-after.ts";
import { type HttpAnswer, Transport, TransportError } from "#lib/zendesk/transport.ts";

/** Where the Authorization header comes from. */
export interface Authorization {
  header(): Promise<string>;
  /** Another header after `rejected` was answered 401, or null when there is none to be had. */
  renew(rejected: string): Promise<string | null>;
}

export interface Get {
  query?: Record<string, string | number | undefined>;
  endpoint?: Endpoint;
  /** The key that the answer must hold. */
  expect: string;
  /** The page could be asked for in smaller pieces: give up on a heavy one early, with PageTooHeavy. */
  shrinkable?: boolean;
}

export interface Write {
  endpoint?: Endpoint;
  /** The ticket, organization or user that is changed: Zendesk limits those, too. */
  target?: string;
  /** The key that the answer must hold; without it any success is one, also an empty answer. */
  expect?: string;
  /** Beside those that every request has, such as an Idempotency-Key. */
  headers?: Record<string, string>;
  /**
   * Called when its turn has come, right before it is sent, and again before it is sent with another token; what it throws keeps
   * it from being sent.
   */
  ready?: () => Promise<void>;
}

interface Exchange {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query. */
  path: string;
  endpoint: Endpoint;
  target?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  ready?: (() => Promise<void>) | undefined;
}
/** `sentAt`: by the database's clock, so that the requests of all processes have one order. */
type Sent = HttpAnswer & { sentAt: Date };

/** A token that is refused as soon as it was given may not have arrived everywhere yet: one more, after a pause, before a person is asked. */
const mostRenewals = 2;
const unknownClock = 24 * 3_600_000;
/** What is waited for in place even while others wait for the place. Milliseconds. */
const shortSleep = 2000;

/** The page is more than Zendesk, or we, can take at once (rows 21, 57, 72). */
export class PageTooHeavy extends Error {
  override readonly name = "PageTooHeavy";
}

/** Asks one Zendesk account for JSON; waits when told to; knows HTTP and nothing else. */
export class ZendeskClient {
  readonly base: string;
  /** Requests sent so far, retries included. */
  requests = 0;
  private readonly transport: Transport;
  private readonly authorization: Authorization;
  private readonly limiter: Limiter;
  private readonly options: ClientOptions;
  private serverOffset = 0;
  /** The least and the most that any answer has told. Milliseconds. */
  private leastOffset = Number.POSITIVE_INFINITY;
  private mostOffset = Number.NEGATIVE_INFINITY;

  constructor(account: {
    urlTemplate: string;
    isDefaultUrl: boolean;
    subdomain: string;
    authorization: Authorization;
    limiter: Limiter;
    options?: Partial<ClientOptions>;
  }) {
    this.options = { ...defaultClientOptions, ...account.options };
    this.base = baseUrl(account.urlTemplate, account.subdomain);
    this.authorization = account.authorization;
    this.limiter = account.limiter;
    this.transport = new Transport({
      origin: new URL(this.base).origin,
      refusePrivateAddresses: account.isDefaultUrl,
      ...(this.options.deadlines ? { deadlines: this.options.deadlines } : {}),
      ...(this.options.largestBody ? { largestBody: this.options.largestBody } : {}),
    });
  }

  /**
   * Zendesk's clock, as far as its answers agree: of several the earliest counts, since what is claimed or begun by a clock
   * that is ahead of the truth would be passed over for good (row 47).
   */
  serverNow(): Date {
    const offset = Math.min(this.serverOffset, this.leastOffset);
    return new Date(this.options.clock().getTime() + offset);
  }

  /** How far Zendesk's clock is ahead of this machine's by the earliest of its answers, in milliseconds. Others can only lower it. */
  get offset(): number {
    return this.knowsTime ? this.leastOffset : 0;
  }

  /**
   * The latest that it can be there by what any answer has told: a version that lies beyond is not to be believed. Where no
   * answer tells the time, our own clock is not wrong by more than a day; nor is the latest by more than a day later than
   * that or than what all others tell.
   */
  latestServerNow(): Date {
    const believable = Math.max(0, this.leastOffset) + unknownClock;
    const offset = this.knowsTime ? Math.min(this.mostOffset, believable) : unknownClock;
    return new Date(this.options.clock().getTime() + offset);
  }

  /** Whether any answer has told the time. */
  get knowsTime(): boolean {
    return this.mostOffset !== Number.NEGATIVE_INFINITY;
  }

  /** By what the last answer told. */
  lastServerNow(): Date {
    return new Date(this.options.clock().getTime() + this.serverOffset);
  }

  /** How far this machine's clock is behind Zendesk's, in milliseconds (row 47). */
  get skew(): number {
    return this.serverOffset;
  }

  /** `path` begins with /api/v2/. Throws ZendeskError, WaitNeeded or PageTooHeavy; nothing else is an answer. */
  async get(path: string, get: Get): Promise<Answer> {
    const started = performance.now();
    let renewals = 0;
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= this.options.attempts || performance.now() - started > this.options.patience;
      const header = await this.authorization.header();
      const sent = await this.send(path, get, header);
      if (sent instanceof TransportError) {
        await this.afterBrokenExchange(sent, path, get, attempt, last);
        continue;
      }
      switch (outcomeOf(sent.status, this.toldToWait(sent) !== null)) {
        case "accept": {
          const answer = this.accept(sent, path, get, last);
          if (answer) return answer;
          break;
        }
        case "wait":
          await this.waitAsTold(sent, get.endpoint ?? "list", attempt, last);
          continue;
        case "renew":
          if (renewals === mostRenewals || (await this.authorization.renew(header)) === null)
            throw failureOf(sent, path);
          if (renewals++ === 0) continue;
          break;
        case "shrink":
          if (get.shrinkable) throw new PageTooHeavy(`${sent.status} for ${path}`);
          throw failureOf(sent, path);
        case "retry":
          if (get.shrinkable && sent.status === 504 && attempt >= 2) throw new PageTooHeavy(`504 for ${path}`);
          if (last) throw failureOf(sent, path);
          break;
        default:
          throw failureOf(sent, path);
      }
      await this.pause(backoff(attempt, this.options.random()), get.endpoint, "retry");
    }
  }

  /**
   * Asks Zendesk to change something, once: a write is never repeated blindly (row 96). Only a rejected token is renewed,
   * since Zendesk then did nothing. Null where the answer is empty. Throws WaitNeeded when nothing may be sent now; a
   * ZendeskError with the code `outcome_unknown` when it may or may not have happened, its cause a WaitNeeded where nothing may
   * be sent before; else one that says why it did not.
   */
  async write(
    method: "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    body?: unknown,
    write: Write = {},
  ): Promise<Answer | null> {
    for (let renewed = false; ; renewed = true) {
      const header = await this.authorization.header();
      const { endpoint = "list", target, headers = {}, ready } = write;
      const sent = await this.exchange({ method, path, body, endpoint, target, headers, ready }, header);
      if (sent instanceof TransportError)
        throw neverSent(sent) ? unreachable(sent, path, this.base) : outcomeUnknown(path, sent);
      const outcome = outcomeOf(sent.status, this.toldToWait(sent) !== null);
      if (outcome === "wait") {
        const wait = this.waitNeeded(await this.blocked(sent, endpoint, 1));
        // Who limits does nothing; a gateway may say that it is busy after it was done.
        throw sent.status === 429 ? wait : outcomeUnknown(path, failureOf(sent, path), wait);
      }
      if (outcome === "renew" && !renewed && (await this.authorization.renew(header)) !== null) continue;
      if (outcome === "accept") return this.acceptWritten(sent, path, write);
      if (outcome === "retry" && (sent.status >= 500 || sent.status === 408))
        throw outcomeUnknown(path, failureOf(sent, path));
      throw failureOf(sent, path);
    }
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private async send(path: string, get: Get, header: string): Promise<Sent | TransportError> {
    const request = {
      method: "GET",
      path: `${path}${queryText(get.query)}`,
      endpoint: get.endpoint ?? "list",
    } as const;
    const sent = await this.exchange(request, header);
    if (sent instanceof TransportError && sent.kind === "aborted") throw new WaitNeeded(this.options.clock());
    return sent;
  }

  private async exchange(request: Exchange, header: string): Promise<Sent | TransportError> {
    const sentAt = await this.pace(request);
    await request.ready?.();
    const common = { accept: "application/json", "content-type": "application/json", authorization: header };
    const { signal, clock } = this.options;
    this.requests++;
    const began = clock();
    try {
      const answer = await this.transport.request({
        method: request.method,
        url: `${this.base}${request.path}`,
        headers: { ...request.headers, ...common },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(signal ? { signal } : {}),
      });
      this.learnClock(answer, began);
      // The answer to a write must not be lost for a count that could not be kept.
      await this.limiter.learn(request.endpoint, answer.headers, request.target).catch(() => {});
      return { ...answer, sentAt };
    } catch (error) {
      if (error instanceof TransportError) return error;
      throw error;
    }
  }

  /** Waits for the budgets; gives the instant from which the request may be sent. */
  private async pace({ endpoint, target }: Exchange): Promise<Date> {
    for (;;) {
      const { wait, at, reason = "budget" } = await this.limiter.take(endpoint, target);
      if (wait === 0) return at;
      const began = this.options.clock();
      await this.pause(Math.ceil(reason === "told" ? this.withChance(wait) : wait), endpoint, reason);
      // A clock that stands still, or was set back, would have us ask for ever.
      if (this.options.clock() <= began) throw this.waitNeeded(wait);
    }
  }

  private accept(sent: Sent, path: string, get: Get, last: boolean): Answer | null {
    try {
      return { ...readAnswer(sent, get.expect), ...this.instantsOf(sent) };
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      if (last) throw wrongAnswer(path, error);
      return null;
    }
  }

  /** A success that cannot be read leaves open what was done (row 97). */
  private acceptWritten(sent: Sent, path: string, { expect }: Write): Answer | null {
    if (expect === undefined && (sent.status === 204 || sent.body.length === 0)) return null;
    try {
      return { ...readAnswer(sent, expect), ...this.instantsOf(sent) };
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      throw outcomeUnknown(path, error);
    }
  }

  private instantsOf(sent: Sent): Pick<Answer, "date" | "requestedAt" | "latest" | "fetchedAt"> {
    const date = this.serverDate(sent);
    return {
      date,
      requestedAt: new Date(Math.min(date.getTime(), this.serverNow().getTime()) - sent.elapsed),
      latest: this.latestServerNow(),
      fetchedAt: sent.sentAt,
    };
  }

  private async afterBrokenExchange(
    broken: TransportError,
    path: string,
    get: Get,
    attempt: number,
    last: boolean,
  ): Promise<void> {
    const heavy = broken.kind === "too_large" || (broken.kind === "timeout" && attempt >= 2);
    if (get.shrinkable && heavy) throw new PageTooHeavy(`${path}: ${broken.message}`);
    if (last || broken.kind === "refused" || broken.kind === "too_large") throw unreachable(broken, path, this.base);
    await this.pause(backoff(attempt, this.options.random()), get.endpoint, "retry");
  }

  /** A 429, or a 503 that names its time. Nothing goes where it came from before the wait is over (INV-BUDGET). */
  private async waitAsTold(sent: HttpAnswer, endpoint: Endpoint, attempt: number, last: boolean): Promise<void> {
    const wait = await this.blocked(sent, endpoint, attempt);
    if (last) throw this.waitNeeded(wait);
    await this.pause(wait, endpoint, "told");
  }

  /** Keeps everybody from sending for so long. */
  private async blocked(sent: HttpAnswer, endpoint: Endpoint, attempt: number): Promise<number> {
    const told = this.toldToWait(sent) ?? resetOf(sent) ?? backoff(attempt, this.options.random());
    const wait = this.withChance(told);
    await this.limiter.block(wait, isHtml(sent), endpoint);
    return wait;
  }

  /** Whoever waits for the same instant does not wake at the same one (row 4). */
  private withChance(wait: number): number {
    return wait + this.options.random() * Math.min(1000, wait * 0.1);
  }

  private waitNeeded(milliseconds: number): WaitNeeded {
    return new WaitNeeded(new Date(this.options.clock().getTime() + milliseconds));
  }

  private toldToWait(answer: HttpAnswer): number | null {
    const header = answer.headers["retry-after"];
    // A clock that is ahead, whosever it is, must not shorten a wait that is told as a date.
    const clocks = [this.serverDate(answer), this.serverNow(), this.options.clock()];
    const earliest = new Date(Math.min(...clocks.map((clock) => clock.getTime())));
    return parseRetryAfter(Array.isArray(header) ? header[0] : header, earliest);
  }

  /** Waits in place, and counts what was waited; throws WaitNeeded for the rest of what is too long, or not wanted any more. */
  private async pause(milliseconds: number, endpoint: Endpoint = "list", reason: WaitReason): Promise<void> {
    const wait = this.waitNeeded(milliseconds);
    if (milliseconds > this.options.longestSleep) throw wait;
    for (let left = milliseconds; left > 0; left -= 1000) {
      if (this.options.signal?.aborted || (left < milliseconds && this.options.deadline())) throw wait;
      if (left > shortSleep && this.options.crowded()) throw wait;
      const step = Math.min(left, 1000);
      await this.options.sleep(step, this.options.signal);
      countWait(endpoint, reason, step);
    }
  }

  private learnClock(answer: HttpAnswer, began: Date): void {
    const date = parseHttpDate(answer.headers.date);
    if (date === null) return;
    this.serverOffset = date - this.options.clock().getTime();
    this.leastOffset = Math.min(this.leastOffset, date - began.getTime());
    this.mostOffset = Math.max(this.mostOffset, this.serverOffset);
  }

  private serverDate(answer: HttpAnswer): Date {
    const date = parseHttpDate(answer.headers.date);
    return date === null ? this.options.clock() : new Date(date);
  }
}

function queryText(query: Get["query"]): string {
  const given = Object.entries(query ?? {}).filter(
    (entry): entry is [string, string | number] => entry[1] !== undefined,
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

/** The end of the account's window, where a 429 names no time of its own. */
function resetOf(answer: HttpAnswer): number | null {
  const seconds = String(answer.headers["ratelimit-reset"] ?? "");
  return /^\d{1,4}$/.test(seconds) && Number(seconds) > 0 ? Number(seconds) * 1000 : null;
}

/** No connection came about, so that nothing can have happened. */
function neverSent(broken: TransportError): boolean {
  return broken.kind === "refused" || /^no connection/.test(broken.message);
}

function outcomeUnknown(path: string, why: Error, cause = why): ZendeskError {
  return new ZendeskError({
    code: "outcome_unknown",
    message: `Whether Zendesk has done what it was asked for (${path}) is unknown: ${why.message.replace(/\.$/, "")}.`,
    action: "Look in Zendesk before it is asked for again.",
    scope: "stream",
    transient: true,
    cause,
    ...(why instanceof ZendeskError && why.status !== undefined && { status: why.status }),
  });
}

function unreachable(broken: TransportError, path: string, base: string): ZendeskError {
  if (broken.kind === "too_large") {
    return new ZendeskError({
      code: "too_large",
      message: `Zendesk's answer for ${path} cannot be held: ${broken.message}.`,
      action: "Find the oversized record in Zendesk and shorten it; the other streams go on.",
      scope: "stream",
      cause: broken,
    });
  }
  return new ZendeskError({
    code: "unreachable",
    message: `Zendesk cannot be reached at ${base}: ${broken.message}.`,
    action: "Check the subdomain and this server's way to the internet; reading resumes with the next run.",
    scope: "connection",
    about: "subdomain",
    transient: true,
    cause: broken,
  });
}
