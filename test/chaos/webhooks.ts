import { AppError } from "#lib/errors.ts";
import { drainHints } from "#lib/webhooks/hints.ts";
import { takeDelivery } from "#lib/webhooks/intake.ts";
import { checkWebhook } from "#lib/webhooks/registration.ts";
import { type Endpoint, startEndpoint } from "#test/support/endpoint.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";
import type { ChaosAccount } from "./accounts.ts";
import type { Instance } from "./instance.ts";
import type { SimulatedTime } from "./time.ts";

interface Parts {
  zendesk: Zendesk;
  accounts: readonly ChaosAccount[];
  time: SimulatedTime;
  clock: () => Date;
  /** The process that a delivery reaches; none is up now and then. */
  anyProcess: () => Instance | undefined;
}

/** Where the accounts' webhooks call; its origin is the product's public address. */
export class Intake {
  readonly counts = { sent: 0, lost: 0, repeated: 0, refused: 0 };
  private endpoint: Endpoint | null = null;
  private parts: Parts | null = null;
  private random: Random = seededRandom(0);
  private readonly busy = new Set<string>();
  private unsentBefore = 0;
  private readonly checkedAt = new Map<ChaosAccount, number>();

  async open(): Promise<string> {
    this.endpoint = await startEndpoint((request) => this.answer(request));
    return this.endpoint.origin;
  }

  async close(): Promise<void> {
    await this.endpoint?.close();
  }

  /** From now on deliveries are lost, repeated, late and in no order. */
  begin(parts: Parts, seed: number): void {
    this.parts = parts;
    this.random = seededRandom(`${seed}:webhooks`);
    parts.zendesk.webhooks.timeout = 1500;
    this.unsentBefore = this.unsent();
    for (const { world } of parts.accounts) {
      world.webhooks.setWeather({
        seed,
        lost: 0.3,
        duplicated: 0.2,
        delayed: { probability: 0.2, minimum: MINUTE, maximum: 4 * HOUR },
        shuffled: true,
      });
    }
  }

  calm(): void {
    for (const { world } of this.parts?.accounts ?? []) world.webhooks.setWeather({});
  }

  /** The hourly check, what is due to be delivered, and the look-ups that deliveries ask for. */
  async step(): Promise<void> {
    const { parts } = this;
    const instance = parts?.anyProcess();
    if (!parts || !instance) return;
    const seen = new Set<string>();
    for (const { invocation } of await parts.zendesk.webhooks.deliver()) {
      if (seen.has(invocation.body)) this.counts.repeated++;
      seen.add(invocation.body);
    }
    for (const account of parts.accounts) {
      if (parts.time.now() - (this.checkedAt.get(account) ?? 0) >= HOUR) this.check(account, instance);
      this.start(`drain ${account.subdomain}`, instance, () =>
        drainHints(instance.context, account.scope, { clock: parts.clock, ...instance.asking }),
      );
    }
  }

  /** Somebody pauses, removes or turns the key of a webhook at Zendesk (row 93). */
  tamper(): void {
    const account = this.random.pick(this.parts?.accounts ?? []);
    const [webhook] = account.world.webhooks.byId.values();
    if (!webhook) return;
    const what = this.random.pick(["pause", "remove", "turn the key"]);
    if (what === "pause") account.world.webhooks.update(webhook.id, { status: "inactive" });
    if (what === "remove") account.world.webhooks.delete(webhook.id);
    if (what === "turn the key") account.world.webhooks.resetSecret(webhook.id);
  }

  /** How many announcements never went out. */
  finish(): Intake["counts"] {
    return { ...this.counts, lost: Math.max(0, this.unsent() - this.unsentBefore) };
  }

  private unsent(): number {
    const webhooks = this.parts?.accounts.map(({ world }) => world.webhooks) ?? [];
    return webhooks.reduce((sum, { announced, invocations }) => sum + announced - invocations.length, 0);
  }

  private check(account: ChaosAccount, instance: Instance): void {
    const { parts } = this;
    if (!parts) return;
    this.checkedAt.set(account, parts.time.now());
    this.start(`check ${account.subdomain}`, instance, () =>
      checkWebhook(instance.context, account.scope, { clock: parts.clock, options: instance.asking.options }),
    );
  }

  /** Goes on beside everything else while time moves; one of a kind at a time. */
  private start(what: string, instance: Instance, work: () => Promise<unknown>): void {
    const key = `${instance.name} ${what}`;
    if (this.busy.has(key)) return;
    this.busy.add(key);
    void instance.beside(work).finally(() => this.busy.delete(key));
  }

  private async answer(request: Request): Promise<Response> {
    this.counts.sent++;
    const instance = this.parts?.anyProcess();
    if (!instance || !this.parts) return new Response(null, { status: 503 });
    const { headers } = request;
    try {
      const delivery = {
        connectionId: new URL(request.url).pathname.split("/").at(-1) ?? "",
        timestamp: headers.get("x-zendesk-webhook-signature-timestamp"),
        signature: headers.get("x-zendesk-webhook-signature"),
        accountId: headers.get("x-zendesk-account-id"),
        webhookId: headers.get("x-zendesk-webhook-id"),
        body: Buffer.from(await request.arrayBuffer()),
      };
      await takeDelivery(instance.context, delivery, this.parts.clock());
      return new Response(null, { status: 200 });
    } catch (error) {
      this.counts.refused++;
      const isUnsigned = error instanceof AppError && error.code === "unauthenticated";
      return new Response(null, { status: isUnsigned ? 401 : 503 });
    }
  }
}
