import { randomBytes, randomUUID } from "node:crypto";
import { eventEnvelope } from "../wire/events.ts";
import type { EventPart, EventSubject } from "./event-types.ts";
import { type Id, ulid } from "./ids.ts";
import { type Random, seededRandom } from "./random.ts";
import type { World } from "./world.ts";

/** What triggers call: not an event, but a template of theirs. */
export const conditional = "conditional_ticket_events";

export interface Webhook {
  id: string;
  name: string;
  endpoint: string;
  status: "active" | "inactive";
  /** `zen:event-type:…`, or `conditional_ticket_events` alone. */
  subscriptions: string[];
  secret: string;
  createdAt: number;
  updatedAt: number;
}

export interface Trigger {
  id: string;
  title: string;
  active: boolean;
  webhookId: string;
  /** Liquid, of which the stand-in knows `{{ticket.id}}` and `{{ticket.status}}`. */
  body: string;
  conditions: unknown;
}

/** One message to one webhook; its attempts are the log that Zendesk shows. */
export interface Invocation {
  id: string;
  webhookId: string;
  type: string;
  body: string;
  /** When the next attempt is due, by the world's clock; null: no more. */
  dueAt: number | null;
  attempts: { at: number; status: number | null; outcome: "success" | "failed" | "timeout" | "circuit broken" }[];
}

/** What happens to deliveries on their way. */
export interface DeliveryWeather {
  seed?: number;
  /** Share that never goes out. */
  lost?: number;
  /** Share that goes out twice, under ids of their own. */
  duplicated?: number;
  /** Share that goes out later, by so many milliseconds. */
  delayed?: { probability: number; minimum: number; maximum: number };
  /** What is due goes out in no order. */
  shuffled?: boolean;
}

/** Webhooks and triggers of an account, and the messages that its changes make. */
export class Webhooks {
  readonly byId = new Map<string, Webhook>();
  readonly triggers = new Map<string, Trigger>();
  readonly invocations: Invocation[] = [];
  /** Events that something happened, whether or not anybody listened. */
  announced = 0;
  /** How often the rule of `echoUpdates` has answered. */
  echoed = 0;
  private echo: ((subject: EventSubject, id: Id) => void) | null = null;
  private isEchoing = false;
  private weather: DeliveryWeather = {};
  private random: Random = seededRandom(1);
  private made = 0;

  constructor(private readonly world: World) {}

  /** From now on; `{}` is fair weather again. */
  setWeather(weather: DeliveryWeather): void {
    this.weather = weather;
    this.random = seededRandom(weather.seed ?? 1);
  }

  /**
   * From now on a rule of the account's answers every change of a ticket, user or organization, whoever made it and whether or
   * not it has an event, with one more delivery to each webhook, and with `change`. What it changes does not set it off again.
   */
  echoUpdates(change: (subject: EventSubject, id: Id) => void = () => {}): void {
    this.echo = change;
  }

  create(input: Pick<Webhook, "name" | "endpoint" | "subscriptions"> & Partial<Pick<Webhook, "status">>): Webhook {
    const now = this.world.now();
    const webhook: Webhook = {
      id: ulid(now, ++this.made),
      status: "active",
      ...input,
      secret: newSecret(),
      createdAt: now,
      updatedAt: now,
    };
    this.byId.set(webhook.id, webhook);
    return webhook;
  }

  update(id: string, changes: Partial<Pick<Webhook, "name" | "endpoint" | "status" | "subscriptions">>): Webhook {
    return Object.assign(this.existing(id), changes, { updatedAt: this.world.now() });
  }

  resetSecret(id: string): string {
    const webhook = this.existing(id);
    webhook.secret = newSecret();
    return webhook.secret;
  }

  delete(id: string): void {
    this.byId.delete(id);
  }

  createTrigger(input: Omit<Trigger, "id" | "active">): Trigger {
    const trigger = { ...input, id: String(900_000 + ++this.made), active: true };
    this.triggers.set(trigger.id, trigger);
    return trigger;
  }

  existing(id: string): Webhook {
    const webhook = this.byId.get(id);
    if (webhook === undefined) throw new Error(`No webhook ${id}`);
    return webhook;
  }

  /** A change has happened: everybody who subscribed to it will be told. `updated`: triggers look at the ticket. */
  announce(subject: EventSubject, id: Id, parts: readonly EventPart[], updated = false): void {
    this.announced += parts.length;
    if (this.byId.size === 0) return;
    const webhooks = [...this.byId.values()].filter(({ status }) => status === "active");
    for (const part of parts) {
      const type = `zen:event-type:${part.type}`;
      const body = JSON.stringify(eventEnvelope(this.world, subject, id, randomUUID(), part));
      for (const webhook of webhooks.filter(({ subscriptions }) => subscriptions.includes(type))) {
        this.queue(webhook, type, body);
      }
    }
    if (subject === "ticket" && updated) this.fireTriggers(id, webhooks);
    this.answerWithEcho(subject, id, webhooks);
  }

  /** Takes what is due by the world's clock. */
  takeDue(): Invocation[] {
    const now = this.world.clock.now();
    const due = this.invocations.filter(({ dueAt }) => dueAt !== null && dueAt <= now);
    if (this.weather.shuffled) {
      for (let i = due.length - 1; i > 0; i--) {
        const other = this.random.between(0, i);
        [due[i], due[other]] = [due[other] as Invocation, due[i] as Invocation];
      }
    }
    for (const invocation of due) invocation.dueAt = null;
    return due;
  }

  private fireTriggers(id: Id, webhooks: readonly Webhook[]): void {
    const ticket = this.world.tickets.existing(id);
    for (const trigger of this.triggers.values()) {
      const webhook = webhooks.find((one) => one.id === trigger.webhookId && one.subscriptions.includes(conditional));
      if (!trigger.active || webhook === undefined) continue;
      const body = trigger.body.replaceAll("{{ticket.id}}", ticket.id).replaceAll("{{ticket.status}}", ticket.status);
      this.queue(webhook, conditional, body);
    }
  }

  private answerWithEcho(subject: EventSubject, id: Id, webhooks: readonly Webhook[]): void {
    if (this.echo === null || this.isEchoing) return;
    this.echoed += 1;
    this.isEchoing = true;
    try {
      this.echo(subject, id);
    } finally {
      this.isEchoing = false;
    }
    const part = { type: `${subject}.custom_field_changed`, event: {} };
    const body = JSON.stringify(eventEnvelope(this.world, subject, id, randomUUID(), part));
    for (const webhook of webhooks) this.queue(webhook, `zen:event-type:${part.type}`, body);
  }

  private queue(webhook: Webhook, type: string, body: string): void {
    const { lost = 0, duplicated = 0, delayed } = this.weather;
    if (this.random.chance(lost)) return;
    const copies = this.random.chance(duplicated) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = delayed && this.random.chance(delayed.probability);
      const delay = late ? this.random.between(delayed.minimum, delayed.maximum) : 0;
      this.invocations.push({
        id: ulid(this.world.now(), ++this.made),
        webhookId: webhook.id,
        type,
        body,
        dueAt: this.world.now() + delay,
        attempts: [],
      });
    }
    if (this.invocations.length > mostInvocations) this.invocations.splice(0, mostInvocations / 10);
  }
}

const mostInvocations = 50_000;

function newSecret(): string {
  return randomBytes(32).toString("base64");
}
