import { inWorkspace } from "#db/client.ts";
import type { AffectedTicket, Intent, NotedZendesk } from "#lib/destinations/attempt.ts";
import { barredBy } from "#lib/destinations/barred.ts";
import { type Difference, differences, differenceWords, leftAsBefore, missingObject } from "#lib/destinations/echo.ts";
import { kept, pathWithQuery } from "#lib/destinations/exchange-text.ts";
import type { Session } from "#lib/destinations/session.ts";
import { type Claimed, renewClaim } from "#lib/destinations/store/claims.ts";
import {
  type ExchangeOutcome,
  forgetExchange,
  type NewExchange,
  saveExchanges,
} from "#lib/destinations/store/exchanges.ts";
import { ClaimLost, Interrupted, NotTaken } from "#lib/destinations/verdicts.ts";
import type { Answer } from "#lib/zendesk/answers.ts";
import type { Get } from "#lib/zendesk/client.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";

type Method = Parameters<NotedZendesk["write"]>[1];
type Writing = Parameters<NotedZendesk["write"]>[4];

/** Zendesk for one try at a delivery: writes are noted before they are sent, and sent only while nothing of ours forbids it. */
export class TriedZendesk implements NotedZendesk {
  /** Told with the delivery though it is done. */
  readonly notes: string[] = [];
  /** Something was sent, whatever came back. */
  hasWritten = false;
  /** The last request that broke off was a write. */
  brokeOffWriting = false;
  /** A write was sent of which nothing was heard. */
  isOpen = false;
  /** What Zendesk does besides a write that was done, or may have been. */
  affected: readonly AffectedTicket[] | null = null;
  private readonly session: Session;
  private readonly delivery: Claimed;
  private readonly earlier: readonly NewExchange[];
  private readonly unsaved: NewExchange[] = [];
  private position: number;

  constructor(session: Session, delivery: Claimed, earlier: readonly NewExchange[]) {
    this.session = session;
    this.delivery = delivery;
    this.earlier = earlier;
    this.position = (earlier.at(-1)?.position ?? 0) + 1;
  }

  async find(step: string, path: string, get: Get): Promise<Answer | null> {
    this.goOn();
    this.brokeOffWriting = false;
    const exchange = this.exchange(step, "GET", pathWithQuery(path, get.query), undefined);
    try {
      const answer = await this.session.client.get(path, get);
      this.note(exchange, { status: answer.status, response: answer.text, outcome: "done" });
      return answer;
    } catch (error) {
      if (!(error instanceof ZendeskError)) throw error;
      const isAbsent = error.code === "not_found";
      this.note(exchange, {
        status: error.status ?? null,
        response: error.message,
        outcome: isAbsent ? "done" : "refused",
      });
      if (isAbsent) return null;
      throw error;
    }
  }

  async write(step: string, method: Method, path: string, body: unknown, writing: Writing): Promise<Answer | null> {
    this.goOn();
    this.brokeOffWriting = false;
    await this.session.requireOurAccount();
    this.brokeOffWriting = true;
    const exchange = this.exchange(step, method, path, body);
    let isNoted = false;
    let isOff = false;
    // Its turn may be long in coming: what forbids it is asked when it has come, and nothing is waited for after that.
    const ready = async () => {
      isOff = false;
      this.goOn();
      if (!isNoted) exchange.sentAt = this.session.clock();
      await this.open(exchange, isNoted);
      isNoted = true;
      isOff = true;
    };
    const { intent, supposed: _, affects = this.affected, ...write } = writing;
    let answer: Answer | null;
    try {
      answer = await this.session.client.write(method, path, body, { ...write, ready });
    } catch (error) {
      if (isOff) await this.afterFailedWrite(exchange, error);
      else if (isNoted) await this.forget(exchange);
      if (this.isOpen) this.affected = affects;
      throw error;
    }
    this.hasWritten = true;
    this.affected = affects;
    const status = answer?.status ?? 204;
    const unlike = answer ? this.unlike(exchange, path, body, answer, intent) : null;
    const outcome = unlike === null ? "done" : unlike instanceof NotTaken ? "refused" : "unknown";
    this.note(exchange, { status, response: answer?.text ?? null, outcome });
    if (!unlike) return answer;
    this.isOpen = outcome === "unknown";
    throw unlike;
  }

  /** What has to be kept with the end of the try. */
  takeUnsaved(): NewExchange[] {
    return this.unsaved.splice(0);
  }

  /** Nothing is asked or sent by a process that stops: what it has in hand is all that it finishes. */
  private goOn(): void {
    if (this.session.isEnding()) throw new Interrupted("The process that worked on it stopped; another one goes on.");
  }

  private exchange(step: string, method: string, path: string, body: unknown): NewExchange {
    return {
      position: this.position++,
      attempt: this.delivery.attempts,
      step,
      isWrite: method !== "GET",
      method,
      path: kept(path) ?? path,
      request: body === undefined ? null : kept(JSON.stringify(body)),
      status: null,
      response: null,
      outcome: "open",
      sentAt: this.session.clock(),
      endedAt: null,
    };
  }

  private note(
    exchange: NewExchange,
    end: { status: number | null; response: string | null; outcome: ExchangeOutcome },
  ): void {
    this.unsaved.push({ ...exchange, ...end, response: kept(end.response), endedAt: this.session.clock() });
  }

  /**
   * Commits that the write is about to be sent: whoever finds it open later does not know whether it was (row 96). Throws
   * Barred where a stop, a pause, or another account behind the connection forbids it (rows 103, 106).
   */
  private async open(exchange: NewExchange, isNoted: boolean): Promise<void> {
    const { scope, ctx } = this.session;
    const standing = await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
      const found = await renewClaim(trx, scope, this.delivery, this.session.times());
      if (!isNoted && found && barredBy(found, this.delivery) === null)
        await saveExchanges(trx, scope.workspaceId, this.delivery.id, [...this.takeUnsaved(), exchange]);
      return found;
    });
    if (!standing) throw new ClaimLost(`The claim of delivery ${this.delivery.id} is gone.`);
    const barred = barredBy(standing, this.delivery);
    if (barred) throw barred;
  }

  private async afterFailedWrite(exchange: NewExchange, error: unknown): Promise<void> {
    if (error instanceof WaitNeeded) return this.forget(exchange);
    if (!(error instanceof ZendeskError)) {
      // Before or after it was sent: nobody can tell. It stays open.
      this.isOpen = true;
      this.hasWritten = true;
      return;
    }
    if (error.status === undefined && error.code !== "outcome_unknown") return this.forget(exchange);
    const isUnknown = error.code === "outcome_unknown";
    this.isOpen = isUnknown;
    this.hasWritten = true;
    this.note(exchange, {
      status: error.status ?? null,
      response: error.message,
      outcome: isUnknown ? "unknown" : "refused",
    });
  }

  /** It was not sent. */
  private async forget({ position }: NewExchange): Promise<void> {
    const { scope, ctx } = this.session;
    await inWorkspace(ctx.db, scope.workspaceId, (trx) =>
      forgetExchange(trx, scope.workspaceId, this.delivery.id, position),
    );
  }

  /**
   * A success without the object, or whose object is not what was sent (row 97), leaves open what was done: the next try
   * looks. Where that has been so before, Zendesk keeps it in its own way, and the delivery tells; or it keeps what was there
   * before, and the write has not happened.
   */
  private unlike(
    exchange: NewExchange,
    path: string,
    body: unknown,
    answer: Answer,
    intent: Intent,
  ): ZendeskError | NotTaken | null {
    const missing = missingObject(body, answer.body);
    if (missing !== null) return notEchoed(answer.status, `without the ${missing.replaceAll("_", " ")} that was sent`);
    const found = differences(exchange.method, path, body, answer.body);
    const passedOver = found.filter(({ answered }) => answered === undefined).map(({ field }) => field);
    if (passedOver.length > 0) this.notes.push(`Zendesk has no field ${passedOver.join(", ")}: it was passed over.`);
    const told = found.filter(({ answered, isTold }) => answered !== undefined && isTold);
    if (told.length > 0)
      this.notes.push(
        `Zendesk shows ${differenceWords(told)}: a trigger or a setting of the account may have made it so.`,
      );
    const other = found.filter(({ answered, isTold }) => answered !== undefined && !isTold);
    if (other.length === 0) return null;
    const words = differenceWords(other);
    const isOther = other.some(({ field }) => field === "id");
    if (isOther || !this.isUsual(exchange, answer.status))
      return notEchoed(answer.status, `with something else than was sent: ${words}`);
    const left = leftAsBefore(other, intent.changes);
    if (left.length > 0) return notTaken(answer.status, left);
    this.notes.push(`Zendesk keeps it otherwise: ${words}.`);
    return null;
  }

  /** An earlier try of the same step came back the same way. */
  private isUsual({ step, method }: NewExchange, status: number): boolean {
    return this.earlier.some(
      (one) =>
        one.isWrite && one.step === step && one.method === method && one.outcome === "unknown" && one.status === status,
    );
  }
}

function notEchoed(status: number, how: string): ZendeskError {
  return new ZendeskError({
    code: "outcome_unknown",
    message: `Zendesk answered ${status}, but ${how}.`,
    action: "Look in Zendesk what it keeps.",
    scope: "stream",
    transient: true,
    status,
  });
}

function notTaken(status: number, left: readonly Difference[]): NotTaken {
  const fields = left.map(({ field }) => field).join(", ");
  return new NotTaken({
    reason: `Zendesk answered ${status} each time, and left ${fields} as it was: ${differenceWords(left)}.`,
    fix: `Look in Zendesk what keeps ${fields} from being changed (an app, or what the login may do), then replay.`,
  });
}
