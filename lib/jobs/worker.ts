import { inWorkspace } from "#db/client.ts";
import { machineClock } from "#lib/clock.ts";
import { resumeExpiredPauses } from "#lib/connections/pause.ts";
import type { RunState } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import type { Holder } from "#lib/jobs/holder.ts";
import type { StopReason } from "#lib/jobs/judge.ts";
import { beat, type Lease, type LeaseTimes, usualTimes } from "#lib/jobs/lease.ts";
import { reap, type Watcher } from "#lib/jobs/reap.ts";
import { executeRun } from "#lib/jobs/run.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { findPending, promptTriggers } from "#lib/jobs/store/runs.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A long run lets others have its place after this, if any wait (row 8). */
const turnMs = 5 * 60_000;

/** A place holds one page in memory, and a connection of the pool while a page is stored; the screens need some, too. */
const mostSlots = 6;
const slotsFor = (poolSize: number): number => Math.max(1, Math.min(mostSlots, poolSize - 4));

interface ActiveRun {
  lease: Lease | null;
  lost: boolean;
  /** Stops the run in the middle of a page. */
  abort: AbortController;
  done: Promise<RunState | null>;
}

/**
 * Executes runs in this process, at most `slots` at once; a waiting run holds none. It keeps the heartbeats of what it
 * executes and looks for runs that dead processes left behind.
 */
export class Worker implements Watcher {
  readonly holder: Holder;
  readonly times: LeaseTimes;
  private readonly ctx: Pick<Context, "config" | "db" | "log">;
  private readonly clock: () => Date;
  private readonly client: Partial<ClientOptions> | undefined;
  private readonly active = new Map<string, ActiveRun>();
  private readonly queue: (() => void)[] = [];
  private readonly timers: NodeJS.Timeout[] = [];
  private free: number;
  /** Pending runs that found no place at the last look. */
  private left = 0;
  private draining = false;

  constructor(
    ctx: Pick<Context, "config" | "db" | "log">,
    options: {
      holder: Holder;
      times?: LeaseTimes;
      slots?: number;
      clock?: () => Date;
      client?: Partial<ClientOptions>;
    },
  ) {
    this.ctx = ctx;
    this.holder = options.holder;
    this.times = options.times ?? usualTimes;
    this.free = options.slots ?? slotsFor(ctx.config.database.poolSize);
    this.clock = options.clock ?? machineClock;
    this.client = options.client;
  }

  /** Starts what is independent of the clock's schedules: heartbeats, the search for dead runs, the start of pending ones. */
  start(): void {
    const { beatEvery, searchEvery } = this.times;
    this.every(beatEvery, () => this.beat());
    this.every(searchEvery, () => this.reap());
    this.every(beatEvery, () => this.wake());
  }

  executes(scope: Scope): boolean {
    return this.active.has(key(scope));
  }

  /**
   * Executes the live run of a connection and says how it stands, or null where another process executes it. With a
   * deadline it stops at the first page boundary after it, and waits no longer than that for a free place.
   */
  async work(scope: Scope, deadline: Date | null): Promise<RunState | null> {
    const running = this.active.get(key(scope));
    if (running) return this.within(deadline, running.done);
    if (this.draining || !(await this.takeSlot(deadline))) return null;
    const meanwhile = this.active.get(key(scope));
    if (meanwhile || this.draining) {
      this.giveSlot();
      return meanwhile ? this.within(deadline, meanwhile.done) : null;
    }
    return this.execute(scope, deadline);
  }

  /**
   * Ends timed pauses that are over and starts pending runs as far as places are free, and the others when one is. Without
   * the internal schedule, only what a person waits for; `all` also what other processes left.
   */
  async wake(options: { all?: boolean } = {}): Promise<void> {
    if (this.draining) return;
    const triggers = options.all || this.ctx.config.scheduler === "internal" ? null : promptTriggers;
    const now = this.clock();
    const pending: (Scope & { since: Date })[] = [];
    for (const { id: workspaceId } of await listWorkspaces(this.ctx.db)) {
      const found = await inWorkspace(this.ctx.db, workspaceId, async (trx) => {
        await resumeExpiredPauses(trx, workspaceId, now);
        return findPending(trx, workspaceId, now, { triggers });
      });
      pending.push(...found.map(({ connectionId, since }) => ({ workspaceId, connectionId, since })));
    }
    const waiting = pending
      .filter((scope) => !this.executes(scope))
      .sort((a, b) => a.since.getTime() - b.since.getTime());
    const next = waiting.slice(0, this.free);
    this.left = waiting.length - next.length;
    for (const { workspaceId, connectionId } of next) {
      const done = this.work({ workspaceId, connectionId }, null);
      this.inBackground(done.then((state) => (state || options.all ? this.wake(options) : undefined)));
    }
  }

  /** Looks for runs of dead holders now. */
  reap(): Promise<number> {
    return reap(this.ctx.db, this, this.clock());
  }

  /** Forgets the lease of a connection that this very process revoked, without waiting for the next heartbeat. */
  dismiss(scope: Scope): void {
    const run = this.active.get(key(scope));
    if (run) lose(run);
  }

  /** Lets every run stop at a page boundary; they are `waiting` then, for the next process (row 84). Gives up after `patienceMs`. */
  async drain(patienceMs: number): Promise<void> {
    this.draining = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const waiter of this.queue.splice(0)) waiter();
    // The heartbeats must outlive the timers until the last run has stopped.
    const beating = setInterval(() => this.inBackground(this.beat()), this.times.beatEvery);
    const all = Promise.allSettled([...this.active.values()].map((run) => run.done));
    await Promise.race([all, pause(patienceMs * 0.7)]);
    for (const run of this.active.values()) run.abort.abort();
    await Promise.race([all, pause(patienceMs * 0.3)]);
    clearInterval(beating);
  }

  private async execute(scope: Scope, deadline: Date | null): Promise<RunState | null> {
    const began = this.clock().getTime();
    const run: ActiveRun = { lease: null, lost: false, abort: new AbortController(), done: Promise.resolve(null) };
    run.done = executeRun(this.ctx, scope, {
      holder: this.holder,
      times: this.times,
      clock: this.clock,
      hold: (lease) => {
        run.lease = lease;
      },
      stop: () => this.stopReason(run, deadline, began),
      signal: run.abort.signal,
      crowded: () => this.isCrowded(),
      client: this.client,
    }).finally(() => {
      this.active.delete(key(scope));
      this.giveSlot();
      // Whoever took the lease away may have asked for another run meanwhile.
      if (run.lost) this.inBackground(this.wake());
    });
    this.active.set(key(scope), run);
    return run.done;
  }

  private stopReason(run: ActiveRun, deadline: Date | null, began: number): StopReason | null {
    if (run.lost) return "lost";
    if (this.draining) return "shutdown";
    const now = this.clock().getTime();
    if (deadline) return now >= deadline.getTime() ? "budget" : null;
    return this.isCrowded() && now - began > turnMs ? "turn" : null;
  }

  private isCrowded(): boolean {
    return this.left + this.queue.length > 0;
  }

  /** Says for every run that is executed here that its holder lives, and lets go of those that were taken over. */
  async beat(): Promise<void> {
    const held = [...this.active.values()].flatMap((run) => (run.lease ? [run.lease] : []));
    if (held.length === 0) return;
    const lost = await beat(this.ctx.db, held);
    for (const run of this.active.values()) if (run.lease && lost.includes(run.lease)) lose(run);
  }

  private async takeSlot(deadline: Date | null): Promise<boolean> {
    if (this.free > 0) {
      this.free -= 1;
      return true;
    }
    return new Promise((resolve) => {
      const timer = deadline && setTimeout(() => give(false), Math.max(0, deadline.getTime() - this.clock().getTime()));
      const give = (granted: boolean) => {
        if (timer) clearTimeout(timer);
        const place = this.queue.indexOf(take);
        if (place >= 0) this.queue.splice(place, 1);
        resolve(granted);
      };
      const take = () => give(!this.draining);
      this.queue.push(take);
    });
  }

  private giveSlot(): void {
    const next = this.queue[0];
    if (next) next();
    else this.free += 1;
  }

  private async within(deadline: Date | null, done: Promise<RunState | null>): Promise<RunState | null> {
    if (!deadline) return done;
    const wait = Math.max(0, deadline.getTime() - this.clock().getTime());
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, wait, null);
    });
    return Promise.race([done, over]).finally(() => clearTimeout(timer));
  }

  private every(ms: number, work: () => Promise<unknown>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.inBackground(
        work().finally(() => {
          busy = false;
        }),
      );
    }, ms);
    timer.unref();
    this.timers.push(timer);
  }

  private inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.ctx.log.error({ err: error }, "a background job failed"));
  }
}

function lose(run: ActiveRun): void {
  run.lost = true;
  run.abort.abort();
}

/** Resolves after a while; does not keep the process alive. */
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

const key = (scope: Scope): string => `${scope.workspaceId}:${scope.connectionId}`;
