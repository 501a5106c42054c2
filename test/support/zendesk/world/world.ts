import { Access } from "./access.ts";
import { type Clock, fixedClock } from "./clock.ts";
import { Definitions } from "./definitions.ts";
import { Identities } from "./identities.ts";
import { type Id, IdSequence } from "./ids.ts";
import { Jobs } from "./jobs.ts";
import { Organizations } from "./organizations.ts";
import { type Random, seededRandom } from "./random.ts";
import { Ratings } from "./ratings.ts";
import { Schedule } from "./schedule.ts";
import { defaultSettings, type WorldSettings } from "./settings.ts";
import { Sunshine } from "./sunshine.ts";
import { Tickets } from "./tickets.ts";
import { Users } from "./users.ts";
import { Webhooks } from "./webhooks.ts";

export interface WorldOptions {
  /** Default `acme`. */
  subdomain?: string;
  /** A clock, or the instant at which a fixed one stands. Default: 2026-03-02T09:00:00Z. */
  clock?: Clock | Date | string;
  settings?: Partial<WorldSettings>;
  /** When the account was opened: its administrator and definitions are that old. Default: now. */
  openedAt?: Date | string | number;
  /** Where the id sequences begin; equal in all worlds by default, so that two accounts share ids. */
  ids?: { ticket?: number; other?: number };
  /** Name and e-mail of the administrator that the product signs in as. */
  admin?: { name: string; email: string };
}

/** A share of row versions becomes visible to the exports only minutes after its stamp. */
export interface Lateness {
  probability: number;
  /** Milliseconds. */
  minimum: number;
  maximum: number;
  seed?: number;
}

/** What the API says of a row instead of its true state: fields replaced on the wire only. */
export type Distortion = Record<string, unknown> | ((row: Record<string, unknown>) => Record<string, unknown>);
export type DistortedKind =
  | "ticket"
  | "ticket_event"
  | "user"
  | "membership"
  | "organization"
  | "group"
  | "rating"
  | "field";

/**
 * One Zendesk account in memory. Rows change through the functions of its parts (`tickets`, `organizations`, …),
 * each at the world's own clock and with the side effects that Zendesk gives it.
 */
export class World {
  readonly subdomain: string;
  readonly clock: Clock;
  readonly ids: IdSequence;
  readonly settings: WorldSettings;
  readonly schedule = new Schedule();
  readonly definitions: Definitions;
  readonly organizations: Organizations;
  readonly identities: Identities;
  readonly users: Users;
  readonly tickets: Tickets;
  readonly ratings: Ratings;
  readonly access: Access;
  readonly webhooks: Webhooks;
  readonly jobs: Jobs;
  readonly sunshine: Sunshine;
  readonly distortions = new Map<string, Distortion>();
  /** The user whose credentials the product holds. */
  readonly adminId: Id;
  readonly apiToken: string;
  readonly oauthClient: { id: string; secret: string };
  private moment: number | null = null;
  private lateness: { rule: Lateness; random: Random } | null = null;

  constructor(options: WorldOptions = {}) {
    const { clock = "2026-03-02T09:00:00Z" } = options;
    this.subdomain = options.subdomain ?? "acme";
    this.clock = typeof clock === "string" || clock instanceof Date ? fixedClock(clock) : clock;
    this.ids = new IdSequence(options.ids);
    this.settings = { ...defaultSettings, ...options.settings };
    this.apiToken = `api-token-of-${this.subdomain}`;
    this.oauthClient = { id: `bellwether_${this.subdomain}`, secret: `client-secret-of-${this.subdomain}` };
    if (options.openedAt !== undefined) this.moment = new Date(options.openedAt).getTime();
    this.webhooks = new Webhooks(this);
    this.definitions = new Definitions(this);
    this.organizations = new Organizations(this);
    this.identities = new Identities(this);
    this.users = new Users(this);
    this.tickets = new Tickets(this);
    this.ratings = new Ratings(this);
    this.access = new Access(this);
    this.jobs = new Jobs(this);
    this.sunshine = new Sunshine(this);
    this.access.apiTokens.add(this.apiToken);
    const { id: identifier, secret } = this.oauthClient;
    this.access.clients.set(identifier, { identifier, secret, redirectUris: ["*"] });
    const admin = options.admin ?? { name: "Ada Admin", email: `admin@${this.subdomain}.example` };
    this.adminId = this.users.create({ ...admin, role: "admin" }).id;
    this.moment = null;
  }

  /** E-mail and API token, and the OAuth client, that this account accepts. */
  get credentials(): { email: string; token: string; clientId: string; clientSecret: string } {
    const email = this.users.byId.get(this.adminId)?.email ?? "";
    return { email, token: this.apiToken, clientId: this.oauthClient.id, clientSecret: this.oauthClient.secret };
  }

  now(): number {
    return this.moment ?? this.clock.now();
  }

  /** Moves the clock forward and lets everything that was planned until then happen, each at its own time. */
  advance(milliseconds: number): this {
    this.clock.advance(milliseconds);
    this.catchUp();
    return this;
  }

  /** Moves the clock to an instant, forward or back. */
  advanceTo(instant: Date | string | number): this {
    return this.advance(new Date(instant).getTime() - this.clock.now());
  }

  /** Runs what is due. The server calls it before each answer, so a live world goes on by itself. */
  catchUp(): void {
    const until = this.clock.now();
    for (let next = this.schedule.takeDue(until); next !== undefined; next = this.schedule.takeDue(until)) {
      this.at(next.at, next.run);
    }
  }

  /** Runs `action` as if it were `instant`: how histories are written. */
  at<T>(instant: Date | string | number, action: () => T): T {
    const before = this.moment;
    this.moment = new Date(instant).getTime();
    try {
      return action();
    } finally {
      this.moment = before;
    }
  }

  /** From now on a share of new row versions shows late; `null` ends it. */
  showLate(rule: Lateness | null): void {
    this.lateness = rule && { rule, random: seededRandom(rule.seed ?? 1) };
  }

  /** When a version made now becomes visible to the exports. */
  visibility(): number {
    if (this.lateness === null) return 0;
    const { rule, random } = this.lateness;
    return random.chance(rule.probability) ? this.now() + random.between(rule.minimum, rule.maximum) : 0;
  }

  /** Makes the API answer `distortion` for one row, whatever the row really is: poison of every kind. */
  distort(kind: DistortedKind, id: Id, distortion: Distortion): this {
    this.distortions.set(`${kind}:${id}`, distortion);
    return this;
  }

  /** Ends a distortion; the row's stamp moves, as after a repair at the source. */
  heal(kind: DistortedKind, id: Id): this {
    this.distortions.delete(`${kind}:${id}`);
    if (kind === "ticket") this.tickets.systemTouch(id);
    if (kind === "user") this.users.update(id, {});
    if (kind === "organization") this.organizations.update(id, {});
    return this;
  }
}
