import { afterEach } from "vitest";
import type { Db } from "#db/client.ts";
import type {
  AffectedTicket,
  Attempt,
  EarlierExchange,
  Intent,
  NotedZendesk,
  Verdict,
} from "#lib/destinations/attempt.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { settingsOf } from "#lib/destinations/profiles.ts";
import type { CommandKind, Profile, Settings } from "#lib/destinations/shapes.ts";
import { ZendeskClient } from "#lib/zendesk/client.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";

import type { Scope } from "#lib/zendesk/scope.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import type { WorldSettings } from "#test/support/zendesk/world/settings.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { unlimited } from "#test/zendesk/unlimited.ts";

const opened: (ZendeskClient | Zendesk)[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const quick = { connect: 500, headers: 300, idle: 200, total: 900 };
/** Definitions of fields are kept for a minute by connection: each test has one of its own. */
let connections = 0;

export interface Told {
  profile?: Profile;
  settings?: Partial<Settings>;
  world?: Partial<WorldSettings>;
  db?: Db;
  scope?: Scope;
}

export interface Given {
  unmapped?: Record<string, unknown>;
  settings?: Partial<Settings>;
  messageId?: string;
  approvedFor?: string[];
  eventId?: string;
  isDryRun?: boolean;
  isOvertaken?: boolean;
}

/** A Zendesk, and a destination of it that does commands: `again` is another try at the same one. */
export async function destination({ profile = "customerio", settings, world: how, db, scope }: Told = {}) {
  const world = new World({ clock: "2026-03-02T09:00:00Z", ...(how && { settings: how }) });
  const zendesk = await startZendesk({ worlds: [world] });
  const { email, token } = world.credentials;
  const header = `Basic ${Buffer.from(`${email}/token:${token}`).toString("base64")}`;
  const client = new ZendeskClient({
    urlTemplate: zendesk.url,
    isDefaultUrl: false,
    subdomain: world.subdomain,
    authorization: { header: async () => header, renew: async () => null },
    limiter: unlimited,
    options: { sleep: async () => {}, random: () => 0, deadlines: quick, attempts: 2 },
  });
  opened.push(client, zendesk);
  const own = scope ?? { workspaceId: 1, connectionId: ++connections };
  const context = { client, clock: () => new Date(world.now()), db: db as Db, scope: own, profile, settings };
  const run = (action: CommandKind, fields: Record<string, unknown>, given: Given = {}) =>
    new Delivery(context, action, fields, given);
  return {
    world,
    zendesk,
    begin: run,
    /** One try at a new command. */
    run: (action: CommandKind, fields: Record<string, unknown>, given: Given = {}) =>
      run(action, fields, given).again(),
    /** What writes have done, as `kind id-independent values`. */
    effects: () => zendesk.effects.entries.map(({ kind }) => kind),
    valuesOf: (kind: string) => zendesk.effects.of(kind).map(({ values }) => values),
  };
}

interface Context {
  client: ZendeskClient;
  clock: () => Date;
  db: Db;
  scope: Scope;
  profile: Profile;
  settings: Partial<Settings> | undefined;
}

let deliveries = 0;

/** A command through its tries, with what was said to Zendesk in each. */
class Delivery implements NotedZendesk {
  readonly earlier: EarlierExchange[] = [];
  readonly intents: Intent[] = [];
  private affected: readonly AffectedTicket[] | null = null;
  private attempt = 0;
  private readonly id = String(++deliveries);
  private readonly createdAt: Date;

  constructor(
    private readonly context: Context,
    private readonly action: CommandKind,
    private readonly fields: Record<string, unknown>,
    private readonly given: Given,
  ) {
    this.createdAt = context.clock();
  }

  /** Another try; ZendeskError and WaitNeeded are thrown, as the queue would see them. */
  async again(changed: Given = {}): Promise<Verdict> {
    this.attempt++;
    const { context } = this;
    const given = { ...this.given, ...changed };
    const { unmapped = {}, settings, approvedFor = [], isDryRun = false, isOvertaken = false, eventId } = given;
    const messageId = given.messageId ?? `message-${this.id}`;
    const now = context.clock();
    const attempt: Attempt = {
      delivery: {
        id: this.id,
        action: this.action,
        messageId,
        commandKey: `key-${this.id}`,
        createdAt: this.createdAt,
        approvedFor,
        affected: this.affected,
      },
      command: { fields: this.fields, unmapped },
      settings: { ...settingsOf(context.profile, context.settings), ...settings },
      event: eventId === undefined ? null : { id: eventId, type: "track", occurredAt: now, payload: {} },
      earlier: [...this.earlier],
      isOvertaken,
      zendesk: isDryRun ? this.asked() : this,
      db: context.db,
      written: async () => null,
      scope: context.scope,
      clock: context.clock,
      isDryRun,
    };
    const verdict = await procedures[this.action](attempt);
    if ("affected" in verdict) this.affected = verdict.affected ?? null;
    return verdict;
  }

  async find(_step: string, path: string, get: Parameters<NotedZendesk["find"]>[2]) {
    try {
      return await this.context.client.get(path, get);
    } catch (error) {
      if (error instanceof ZendeskError && error.code === "not_found") return null;
      throw error;
    }
  }

  async write(...[step, method, path, body, writing]: Parameters<NotedZendesk["write"]>) {
    const exchange: EarlierExchange = {
      attempt: this.attempt,
      step,
      isWrite: true,
      method,
      path,
      request: body,
      status: null,
      outcome: "open",
      sentAt: this.context.clock(),
    };
    this.earlier.push(exchange);
    const { intent: _, supposed: __, affects: ___, ...write } = writing;
    try {
      const answer = await this.context.client.write(method, path, body, write);
      exchange.outcome = "done";
      return answer;
    } catch (error) {
      if (error instanceof WaitNeeded) exchange.outcome = "not_sent";
      else if (error instanceof ZendeskError) {
        exchange.status = error.status ?? null;
        exchange.outcome = error.code === "outcome_unknown" ? "unknown" : "refused";
      }
      throw error;
    }
  }

  private asked(): NotedZendesk {
    return {
      find: (...asked) => this.find(...asked),
      write: async (_step, _method, _path, _body, { intent, supposed }) => {
        this.intents.push(intent);
        const at = new Date(0);
        return supposed
          ? { body: supposed, text: "", status: 200, date: at, requestedAt: at, latest: at, fetchedAt: at }
          : null;
      },
    };
  }
}
