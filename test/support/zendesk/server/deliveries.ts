import { createHmac } from "node:crypto";
import { accountIdOf } from "../wire/events.ts";
import type { Invocation, Webhook } from "../world/webhooks.ts";
import type { World } from "../world/world.ts";

/** One message that went out, and what came back: null for no answer in time. */
export interface Delivered {
  invocation: Invocation;
  status: number | null;
}

const window = 5 * 60_000;
const breakerPause = 5000;
const atOnce = 20;
/** Tries again, by what came back. */
const retries = { timeout: 5, conflict: 3, busy: 3 };

/** Sends what the accounts' webhooks have to say, as Zendesk does: signed, 12 seconds to answer, few retries, a circuit breaker. */
export class Deliveries {
  /** Milliseconds until an endpoint that does not answer is given up. */
  timeout = 12_000;
  private readonly outcomes = new Map<string, { at: number; failed: boolean }[]>();
  private readonly brokenUntil = new Map<string, number>();
  private going: Promise<Delivered[]> = Promise.resolve([]);
  private timer: NodeJS.Timeout | null = null;
  private readonly ended = new AbortController();

  constructor(private readonly worlds: ReadonlyMap<string, World>) {}

  /** Sends everything that is due by the worlds' clocks, repeats included, and waits for the answers. */
  deliver(): Promise<Delivered[]> {
    this.going = this.going.then(() => this.deliverDue());
    return this.going;
  }

  /** Worlds on the wall clock go on, and deliver, by themselves. */
  start(): void {
    this.timer = setInterval(() => {
      const live = [...this.worlds.values()].filter(({ clock }) => clock.live);
      for (const world of live) world.catchUp();
      if (live.length > 0) void this.deliver();
    }, 250);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.ended.abort();
    await this.going;
  }

  private async deliverDue(): Promise<Delivered[]> {
    const delivered: Delivered[] = [];
    for (const world of this.worlds.values()) {
      const due = world.webhooks.takeDue();
      for (let at = 0; at < due.length; at += atOnce) {
        const sent = await Promise.all(due.slice(at, at + atOnce).map((invocation) => this.attempt(world, invocation)));
        delivered.push(...sent.filter((one) => one !== null));
      }
    }
    return delivered;
  }

  private async attempt(world: World, invocation: Invocation): Promise<Delivered | null> {
    const webhook = world.webhooks.byId.get(invocation.webhookId);
    if (webhook === undefined) return null;
    const at = world.clock.now();
    if ((this.brokenUntil.get(webhook.id) ?? 0) > at) {
      invocation.attempts.push({ at, status: null, outcome: "circuit broken" });
      return null;
    }
    const { status, retryAfter } = await this.post(world, webhook, invocation);
    const failed = status === null || status >= 300;
    invocation.attempts.push({ at, status, outcome: status === null ? "timeout" : failed ? "failed" : "success" });
    if (failed) invocation.dueAt = nextAttempt(invocation, at, status, retryAfter);
    this.judge(webhook.id, at, failed);
    return { invocation, status };
  }

  private async post(world: World, webhook: Webhook, invocation: Invocation) {
    try {
      const response = await fetch(webhook.endpoint, {
        method: "POST",
        headers: signedHeaders(world, webhook, invocation),
        body: invocation.body,
        redirect: "manual",
        signal: AbortSignal.any([this.ended.signal, AbortSignal.timeout(this.timeout)]),
      });
      await response.arrayBuffer();
      return { status: response.status, retryAfter: response.headers.get("retry-after") };
    } catch {
      return { status: null, retryAfter: null };
    }
  }

  /** Opens when seven in ten of at least a hundred fail within five minutes, or more than a thousand do. */
  private judge(webhookId: string, at: number, failed: boolean): void {
    const recent = (this.outcomes.get(webhookId) ?? []).filter((outcome) => outcome.at > at - window);
    recent.push({ at, failed });
    this.outcomes.set(webhookId, recent);
    const failures = recent.filter((outcome) => outcome.failed).length;
    if (failures > 1000 || (recent.length >= 100 && failures >= recent.length * 0.7)) {
      this.brokenUntil.set(webhookId, at + breakerPause);
    }
  }
}

/** What Zendesk signs: the timestamp header and the body as they are, with the secret as text. */
export function signatureOf(secret: string, timestamp: string, body: string | Buffer): string {
  return createHmac("sha256", secret).update(timestamp).update(body).digest("base64");
}

export function signedHeaders(
  world: World,
  webhook: Pick<Webhook, "id" | "secret">,
  invocation: Pick<Invocation, "id" | "body">,
): Record<string, string> {
  const timestamp = new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Zendesk Webhook",
    "x-zendesk-account-id": accountIdOf(world),
    "x-zendesk-webhook-id": webhook.id,
    "x-zendesk-webhook-invocation-id": invocation.id,
    "x-zendesk-webhook-signature": signatureOf(webhook.secret, timestamp, invocation.body),
    "x-zendesk-webhook-signature-timestamp": timestamp,
  };
}

/** Zendesk repeats what timed out, conflicts, and what names a short wait; everything else is lost. */
function nextAttempt(invocation: Invocation, at: number, status: number | null, retryAfter: string | null) {
  const so = invocation.attempts.length;
  if (status === null) return so <= retries.timeout ? at + 1000 * so : null;
  if (status === 409) return so <= retries.conflict ? at + 1000 * so : null;
  const seconds = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : Number.POSITIVE_INFINITY;
  const told = (status === 429 || status === 503) && seconds < 60;
  return told && so <= retries.busy ? at + seconds * 1000 : null;
}
