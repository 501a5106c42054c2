import { type Context, onePerContext } from "#lib/context.ts";
import { apart } from "#lib/log.ts";
import { drainHints } from "#lib/webhooks/hints.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** So long deliveries gather before what they name is fetched: one change of Zendesk's makes several. */
const gatherMs = 300;
/** So many connections are drained at once; a slow one holds up no more than its place (row 8). */
const places = 3;

/** Fetches in this process what its deliveries named: shortly after them, one drain of a connection at a time. */
export class Drainer {
  private readonly ctx: Context;
  private readonly clock: () => Date;
  /** Connections that wait, or are being drained; true: another drain is due afterwards. */
  private readonly pending = new Map<string, { scope: Scope; again: boolean }>();
  private readonly queue: Scope[] = [];
  private readonly ending = new AbortController();
  private running = new Set<Promise<void>>();

  constructor(ctx: Context, clock: () => Date = () => new Date()) {
    this.ctx = ctx;
    this.clock = clock;
  }

  /** Something is to be fetched for this connection. */
  nudge(scope: Scope): void {
    if (this.ending.signal.aborted) return;
    const known = this.pending.get(keyOf(scope));
    if (known) known.again = true;
    else {
      this.pending.set(keyOf(scope), { scope, again: false });
      setTimeout(() => this.enqueue(scope), gatherMs).unref();
    }
  }

  /** Ends in the middle of what it does; what was not stored stays noted. */
  async stop(): Promise<void> {
    this.ending.abort();
    await Promise.allSettled(this.running);
  }

  private enqueue(scope: Scope): void {
    this.queue.push(scope);
    this.next();
  }

  private next(): void {
    while (this.running.size < places && !this.ending.signal.aborted) {
      const scope = this.queue.shift();
      if (!scope) return;
      const drain = apart(() => this.drain(scope)).finally(() => {
        this.running.delete(drain);
        this.next();
      });
      this.running.add(drain);
    }
  }

  private async drain(scope: Scope): Promise<void> {
    const entry = this.pending.get(keyOf(scope));
    if (entry) entry.again = false;
    try {
      await drainHints(this.ctx, scope, { clock: this.clock, signal: this.ending.signal });
    } catch (error) {
      this.ctx.log.error({ err: error, ...scope }, "what deliveries named could not be fetched");
    }
    this.pending.delete(keyOf(scope));
    if (entry?.again) this.nudge(scope);
  }
}

const keyOf = ({ workspaceId, connectionId }: Scope) => `${workspaceId}:${connectionId}`;

/** The process's one drainer of a context. */
export const processDrainer = onePerContext("drainer", (ctx: Context) => new Drainer(ctx));
