import { randomBytes } from "node:crypto";
import type pg from "pg";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Random } from "#test/support/zendesk/world/random.ts";
import { type Ground, Instance } from "./instance.ts";

/** The product's processes: one or two, killed, stopped and replaced as the seed says. */
export class Processes {
  kills = 0;
  stops = 0;
  private instances: Instance[] = [];
  private readonly silent = new Set<string>();
  private readonly stoppedFor = new Map<Instance, number>();
  private installations = 0;
  private comesBackIn = 0;
  private former: Instance | null = null;

  constructor(
    private readonly ground: Ground,
    private readonly owner: pg.Client,
    private readonly random: Random,
    private readonly scopes: () => Scope[],
  ) {
    this.start(null);
  }

  get living(): Instance[] {
    return this.instances.filter(({ dead, stopped }) => !dead && !stopped);
  }

  get count(): number {
    return this.instances.length;
  }

  /** One of those that are up; there may be none for some minutes. */
  get any(): Instance | undefined {
    return this.living[0];
  }

  /** Whether any process executes a run of this connection. */
  executes(scope: Scope): boolean {
    return this.instances.some((instance) => !instance.dead && instance.worker.executes(scope));
  }

  /** Every minute: heartbeats, and the age of those that give none. */
  async step(milliseconds: number): Promise<void> {
    await this.bury();
    for (const name of this.silent) {
      await this.owner.query(
        "update connection_lease set heartbeat_at = heartbeat_at - $2 * interval '1 millisecond' where holder = $1",
        [name, milliseconds],
      );
    }
    await Promise.all(this.living.map((instance) => instance.doing(() => instance.beat())));
    if (this.instances.length === 0 && this.comesBackIn-- <= 0) this.replace();
    this.wakeStopped();
  }

  /** Draws what happens to processes in this step; `perDay` of each kind. */
  trouble(share: number): void {
    const { random } = this;
    const victim = this.living.length > 0 ? random.pick(this.living) : undefined;
    if (!victim) return;
    if (random.chance(share)) victim.killAtQuery(random.between(1, 120));
    if (random.chance(share)) {
      victim.stopAtTransaction(random.between(1, 25));
      if (this.instances.length === 1) this.start(null);
    }
    if (this.instances.length === 1 && random.chance(share)) this.start(null);
  }

  /** One process, which nothing happens to any more. */
  async calm(): Promise<void> {
    for (const instance of this.instances) {
      instance.killAtQuery(Number.POSITIVE_INFINITY);
      instance.stopAtTransaction(Number.POSITIVE_INFINITY);
      if (instance.stopped) instance.goOn();
    }
    await this.bury();
    if (this.instances.length === 0) this.replace();
    this.silent.clear();
    const [, ...others] = this.instances;
    await Promise.all(others.map((other) => other.close()));
    this.instances = this.instances.slice(0, 1);
  }

  async close(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.close()));
  }

  private async bury(): Promise<void> {
    for (const instance of this.instances.filter(({ dead }) => dead)) {
      this.kills++;
      instance.forget(this.scopes());
      this.silent.add(instance.name);
      this.stoppedFor.delete(instance);
      this.former = instance;
      this.comesBackIn = this.random.between(0, 3);
    }
    this.instances = this.instances.filter(({ dead }) => !dead);
  }

  /** A stopped process goes on when others have had the time to take over. */
  private wakeStopped(): void {
    for (const instance of this.instances.filter(({ stopped }) => stopped)) {
      const minutes = (this.stoppedFor.get(instance) ?? 0) + 1;
      this.stoppedFor.set(instance, minutes);
      if (minutes === 1) {
        this.stops++;
        this.silent.add(instance.name);
      }
      if (minutes < this.random.between(4, 12)) continue;
      this.silent.delete(instance.name);
      this.stoppedFor.delete(instance);
      instance.goOn();
    }
  }

  /** The same installation again, which knows its dead self, or another machine, which has to wait for its silence. */
  private replace(): void {
    this.start(this.random.chance(0.5) ? this.former : null);
  }

  private start(former: Instance | null): void {
    const instance = former?.holder.instance ?? `installation-${++this.installations}@chaos`;
    this.instances.push(
      new Instance(this.ground, { instance, pid: process.pid, nonce: randomBytes(8).toString("hex") }),
    );
  }
}
