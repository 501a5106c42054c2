import { baseUrl } from "#lib/zendesk/address.ts";
import { type Answer, failureOf, isHtml, readAnswer, WrongAnswer, wrongAnswer } from "#lib/zendesk/answers.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
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

  /** Zendesk's clock, as far as its answers have told. */
  serverNow(): Date {
    return new Date(this.options.clock().getTime() + this.serverOffset);
  }

  /** How far this machine's clock is behind Zendesk's, in milliseconds (row 47). */
  get skew(): number {
    return this.serverOffset;
  }

  /** `path` begins with /api/v2/. Throws ZendeskError, WaitNeeded or PageTooHeavy; nothing else is an answer. */
  async get(path: string, get: Get): Promise<Answer> {
    const started = performance.now();
    let renewed = false;
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
          await this.waitAsTold(sent, attempt, last);
          continue;
        case "renew":
          if (renewed || (await this.authorization.renew(header)) === null) throw failureOf(sent, path);
          renewed = true;
          continue;
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
      await this.pause(backoff(attempt, this.options.random()));
    }
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private async send(path: string, get: Get, header: string): Promise<HttpAnswer | TransportError> {
    await this.pace(get.endpoint ?? "list");
    const url = `${this.base}${path}${queryText(get.query)}`;
    const headers = { accept: "application/json", "content-type": "application/json", authorization: header };
    this.requests++;
    try {
      const { signal } = this.options;
      const answer = await this.transport.request({ method: "GET", url, headers, ...(signal ? { signal } : {}) });
      this.learnClock(answer);
      await this.limiter.learn(get.endpoint ?? "list", answer.headers);
      return answer;
    } catch (error) {
      if (error instanceof TransportError && error.kind !== "aborted") return error;
      throw error instanceof TransportError ? new WaitNeeded(this.options.clock()) : error;
    }
  }

  private async pace(endpoint: Endpoint): Promise<void> {
    for (let wait = await this.limiter.take(endpoint); wait > 0; wait = await this.limiter.take(endpoint)) {
      await this.pause(Math.ceil(wait));
    }
  }

  private accept(sent: HttpAnswer, path: string, get: Get, last: boolean): Answer | null {
    try {
      return { ...readAnswer(sent, get.expect), requestedAt: new Date(this.serverDate(sent).getTime() - sent.elapsed) };
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      if (last) throw wrongAnswer(path, error);
      return null;
    }
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
    await this.pause(backoff(attempt, this.options.random()));
  }

  /** A 429, or a 503 that names its time. Nothing goes to this account before the wait is over (INV-BUDGET). */
  private async waitAsTold(sent: HttpAnswer, attempt: number, last: boolean): Promise<void> {
    const told = this.toldToWait(sent) ?? resetOf(sent) ?? backoff(attempt, this.options.random());
    const wait = told + this.options.random() * Math.min(1000, told * 0.1);
    await this.limiter.block(wait, isHtml(sent));
    if (last) throw new WaitNeeded(new Date(this.options.clock().getTime() + wait));
    await this.pause(wait);
  }

  private toldToWait(answer: HttpAnswer): number | null {
    const header = answer.headers["retry-after"];
    return parseRetryAfter(Array.isArray(header) ? header[0] : header, this.serverDate(answer));
  }

  private async pause(milliseconds: number): Promise<void> {
    const until = new Date(this.options.clock().getTime() + milliseconds);
    if (milliseconds > this.options.longestSleep) throw new WaitNeeded(until);
    for (let left = milliseconds; left > 0; left -= 1000) {
      if (this.options.signal?.aborted || (left < milliseconds && this.options.deadline())) throw new WaitNeeded(until);
      await this.options.sleep(Math.min(left, 1000), this.options.signal);
    }
  }

  private learnClock(answer: HttpAnswer): void {
    const date = Date.parse(String(answer.headers.date ?? ""));
    if (!Number.isNaN(date)) this.serverOffset = date - this.options.clock().getTime();
  }

  private serverDate(answer: HttpAnswer): Date {
    const date = Date.parse(String(answer.headers.date ?? ""));
    return Number.isNaN(date) ? this.options.clock() : new Date(date);
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
