import { AsyncLocalStorage } from "node:async_hooks";
import type { World } from "#test/support/zendesk/world/world.ts";

/** Whoever works and sleeps in simulated time. Frozen ones (killed, stopped) hold nobody up. */
export class Actor {
  readonly works = new Set<Work>();
  frozen = false;
}

/** Something that an actor does beside others: a run, what deliveries name. */
interface Work {
  sleeping: number;
}

interface Sleeper {
  at: number;
  actor: Actor;
  wake: () => void;
}

/** Work that neither sleeps nor ends for so long waits for something outside the simulation: time goes on without it. */
const longestStandstill = 20_000;
/** After so long a silence those are counted who wait behind a lock for somebody who sleeps. */
const silence = 200;

/**
 * The one clock of a chaos run: the accounts and the product live by it. It moves when everybody who works has gone to
 * sleep, straight to the next moment at which somebody wakes.
 */
export class SimulatedTime {
  standstills = 0;
  /** How many sessions of the database wait for a lock just now. */
  lockWaiters: () => Promise<number> = async () => 0;
  private sleepers: Sleeper[] = [];
  private readonly actors = new Set<Actor>();
  /** Whose sleep it is: one work that sleeps does not rest for another of the same actor. */
  private readonly work = new AsyncLocalStorage<Work>();
  private changed: () => void = () => {};
  private current: number;

  constructor(private readonly worlds: readonly World[]) {
    this.current = worlds[0]?.now() ?? 0;
  }

  now(): number {
    return this.current;
  }

  readonly clock = (): Date => new Date(this.current);

  /** Resolves when the clock has moved so far; at once when the signal aborts. */
  sleep(actor: Actor, milliseconds: number, signal?: AbortSignal): Promise<void> {
    const work = this.work.getStore();
    return new Promise((resolve) => {
      const wake = () => {
        if (!this.sleepers.includes(sleeper)) return;
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        if (work) work.sleeping--;
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper: Sleeper = { at: this.current + milliseconds, actor, wake };
      if (signal?.aborted) return resolve();
      signal?.addEventListener("abort", wake);
      this.sleepers.push(sleeper);
      if (work) work.sleeping++;
      this.changed();
    });
  }

  /** Time stands still while the work is awake. */
  async during<T>(actor: Actor, begin: () => Promise<T>): Promise<T> {
    const work: Work = { sleeping: 0 };
    this.actors.add(actor);
    actor.works.add(work);
    try {
      return await this.work.run(work, begin);
    } finally {
      actor.works.delete(work);
      this.changed();
    }
  }

  freeze(actor: Actor): void {
    actor.frozen = true;
    this.changed();
  }

  thaw(actor: Actor): void {
    actor.frozen = false;
  }

  async runUntil(instant: number): Promise<void> {
    for (;;) {
      await this.rest();
      const next = Math.min(instant, ...this.awake().map(({ at }) => at));
      this.moveTo(Math.max(next, this.current));
      for (const { wake } of this.awake().filter(({ at }) => at <= this.current)) wake();
      if (this.current >= instant) return;
    }
  }

  private awake(): Sleeper[] {
    return this.sleepers.filter(({ actor }) => !actor.frozen);
  }

  private moveTo(instant: number): void {
    const step = instant - this.current;
    if (step <= 0) return;
    this.current = instant;
    for (const world of this.worlds) world.advance(step);
  }

  /** Until everybody who works sleeps. */
  private async rest(): Promise<void> {
    const since = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    while (this.resting() < this.works().length) {
      const left = longestStandstill - (performance.now() - since);
      if (left <= 0) {
        this.standstills++;
        return;
      }
      const isSilent = await this.change(Math.min(left, silence));
      if (!isSilent || this.awake().length === 0) continue;
      if (this.resting() + (await this.lockWaiters()) >= this.works().length) return;
    }
  }

  private resting(): number {
    return this.works().filter(({ sleeping }) => sleeping > 0).length;
  }

  private works(): Work[] {
    return [...this.actors].flatMap(({ frozen, works }) => (frozen ? [] : [...works]));
  }

  /** True when nothing has changed for so long. */
  private change(atMost: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, atMost, true);
      this.changed = () => {
        clearTimeout(timer);
        setImmediate(resolve, false);
      };
    });
  }
}
