import { inWorkspace } from "#db/client.ts";
import { machineClock } from "#lib/clock.ts";
import { type Context, onePerContext } from "#lib/context.ts";
import { drainConnection } from "#lib/destinations/drain.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import type { DeliveryContext, Working } from "#lib/destinations/session.ts";
import { freeClaims, listClaims } from "#lib/destinations/store/claims.ts";
import { connectionsWithDue, nextDue } from "#lib/destinations/store/deliveries.ts";
import { holderName, isFormerSelf, thisHolder } from "#lib/jobs/holder.ts";
import { apart } from "#lib/log.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** So long events gather before they are routed: one statement serves many. */
const gatherMs = 100;
/** So many connections are written to at once; one that waits holds no place (row 8). */
const places = 4;
/** What is due later than this is found by the regular look. */
const longestTimerMs = 10 * 60_000;

interface Target extends Scope {
  subdomain: string;
}

/** Routes and delivers in this process: soon after events came, and again when something that waits is due. */
export class Deliverer {
  private readonly ctx: DeliveryContext;
  private readonly working: Working;
  private readonly self: ReturnType<typeof thisHolder>;
  /** Workspaces that are looked at, or about to be; true: once more afterwards. */
  private readonly looks = new Map<number, boolean>();
  private readonly queue: Target[] = [];
  /** By Zendesk account, since that is what takes only so much at once. */
  private readonly drains = new Map<string, Promise<void>>();
  /** Accounts to which nothing is sent before an instant. */
  private readonly standstills = new Map<string, Date>();
  private readonly under = new Set<Promise<unknown>>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private sharedLook: Promise<void> | null = null;
  private isEnding = false;

  constructor(ctx: DeliveryContext, working: Partial<Pick<Working, "procedures" | "clock" | "client">> = {}) {
    this.ctx = ctx;
    this.self = thisHolder(ctx.config.dataDir);
    const isEnding = () => this.isEnding;
    this.working = { holder: holderName(this.self), procedures, clock: machineClock, isEnding, ...working };
  }

  /** Something may be due in this workspace. */
  nudge(workspaceId: number): void {
    if (this.isEnding) return;
    if (this.looks.has(workspaceId)) {
      this.looks.set(workspaceId, true);
      return;
    }
    this.looks.set(workspaceId, false);
    this.after(gatherMs, () => this.inBackground(this.look(workspaceId)));
  }

  /** Looks now, and gives the account of what was found to its turn. */
  async look(workspaceId: number): Promise<void> {
    this.looks.set(workspaceId, false);
    try {
      await this.route(workspaceId);
    } finally {
      const again = this.looks.get(workspaceId);
      this.looks.delete(workspaceId);
      if (again) this.nudge(workspaceId);
    }
  }

  /** Whoever wants to look everywhere while somebody does waits for them: a crowd would take every connection of the database. */
  together(look: () => Promise<void>): Promise<void> {
    this.sharedLook ??= look().finally(() => {
      this.sharedLook = null;
    });
    return this.sharedLook;
  }

  /** Sends these deliveries of a connection now, whatever else waits. */
  async send(scope: Scope, ids: readonly string[], until: Date): Promise<void> {
    if (ids.length === 0 || this.isEnding) return;
    const sending = drainConnection(this.ctx, scope, this.working, { only: ids, until });
    this.inBackground(sending);
    await sending;
  }

  /**
   * Deliveries that a former process of this installation had in hand when it died are anybody's at once, and those of
   * others when their claims are over: also where nothing is sent just now, and a person wants to decide about them.
   */
  async freeFormer(workspaceId: number): Promise<void> {
    await inWorkspace(this.ctx.db, workspaceId, async (trx) => {
      const dead = (await listClaims(trx, workspaceId)).filter((claim) => isFormerSelf(claim, this.self));
      await freeClaims(trx, workspaceId, dead, this.working.clock());
    });
  }

  /** When nothing is under way any more, or at the deadline. */
  async idle(deadline: Date): Promise<void> {
    while (this.under.size > 0) {
      const left = deadline.getTime() - Date.now();
      if (left <= 0) return;
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise((resolve) => {
        timer = setTimeout(resolve, left);
      });
      await Promise.race([Promise.allSettled(this.under), over]).finally(() => clearTimeout(timer));
    }
  }

  /** Ends with the requests in hand; what was not sent stays queued. */
  async stop(patienceMs: number): Promise<void> {
    this.isEnding = true;
    for (const timer of this.timers) clearTimeout(timer);
    await this.idle(new Date(Date.now() + patienceMs));
  }

  private async route(workspaceId: number): Promise<void> {
    for (let routed = 1; routed > 0 && !this.isEnding; ) {
      ({ routed } = await routeEvents(this.ctx, workspaceId, this.working.clock()));
      const now = this.working.clock();
      const due = await inWorkspace(this.ctx.db, workspaceId, (trx) => connectionsWithDue(trx, workspaceId, now));
      for (const target of due) this.enqueue({ workspaceId, ...target });
    }
  }

  private enqueue(target: Target): void {
    const rest = (this.standstills.get(target.subdomain)?.getTime() ?? 0) - this.working.clock().getTime();
    if (rest > 0) return;
    if (!this.queue.some((waiting) => isSame(waiting, target))) this.queue.push(target);
    this.next();
  }

  private next(): void {
    while (this.drains.size < places && !this.isEnding) {
      const index = this.queue.findIndex(({ subdomain }) => !this.drains.has(subdomain));
      const [target] = index < 0 ? [] : this.queue.splice(index, 1);
      if (!target) return;
      const drain = apart(() => this.drain(target)).finally(() => {
        this.drains.delete(target.subdomain);
        this.next();
      });
      this.drains.set(target.subdomain, drain);
      this.inBackground(drain);
    }
  }

  private async drain(target: Target): Promise<void> {
    const { workspaceId } = target;
    const { standstill, isCutShort } = await drainConnection(this.ctx, target, this.working);
    if (standstill) this.standstills.set(target.subdomain, standstill);
    const now = this.working.clock();
    const due = isCutShort ? now : await inWorkspace(this.ctx.db, workspaceId, (trx) => nextDue(trx, target, now));
    const at = Math.max(due?.getTime() ?? Number.POSITIVE_INFINITY, standstill?.getTime() ?? 0);
    const wait = Math.max(0, at - now.getTime());
    if (wait <= longestTimerMs) this.after(wait, () => this.nudge(workspaceId));
  }

  private after(milliseconds: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      if (!this.isEnding) work();
    }, milliseconds);
    timer.unref();
    this.timers.add(timer);
  }

  private inBackground(work: Promise<unknown>): void {
    const done = work
      .catch((error: unknown) => this.ctx.log.error({ err: error }, "deliveries could not be worked on"))
      .finally(() => this.under.delete(done));
    this.under.add(done);
  }
}

const isSame = (a: Scope, b: Scope) => a.workspaceId === b.workspaceId && a.connectionId === b.connectionId;

/** The process's one deliverer of a context. */
export const processDeliverer = onePerContext("deliverer", (ctx: DeliveryContext) => new Deliverer(ctx));

/** Events of this workspace were stored, or deliveries queued: they are worked on soon, without keeping anybody waiting. */
export function nudgeDeliveries(ctx: Context, workspaceId: number): void {
  processDeliverer(ctx).nudge(workspaceId);
}
