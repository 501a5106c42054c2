import type { Socket } from "node:net";
import type pg from "pg";
import { type Db, openDatabase } from "#db/client.ts";
import type { Config } from "#lib/config.ts";
import type { Context } from "#lib/context.ts";
import { type Holder, holderName } from "#lib/jobs/holder.ts";
import { Worker } from "#lib/jobs/worker.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Random } from "#test/support/zendesk/world/random.ts";
import { Actor, type SimulatedTime } from "./time.ts";

/** What all instances of the product share. */
export interface Ground {
  url: string;
  config: Config;
  log: Context["log"];
  time: SimulatedTime;
  /** The product's clock. */
  clock: () => Date;
  random: Random;
  client: Partial<ClientOptions>;
  /** When a process or the database last failed, by the simulated clock: what was just learnt may be lost with it. */
  disturbedAt: number;
  /** Simulated instants at which a process died. */
  killedAt: Set<number>;
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** So long a process is given to end; a run that is cut off would keep its connection from the others. Milliseconds of real time. */
const patience = 20_000;

/** A promise that nobody ever hears of again: what a killed process was waiting for. */
const never = <T>(): Promise<T> => new Promise(() => {});

/**
 * One process of the product inside the simulation: its own pool, its own worker. It can be killed, as by a power cut: its
 * sockets die in mid-transaction and nothing of it goes on. It can be stopped and let go on, as by SIGSTOP and SIGCONT.
 */
export class Instance {
  readonly db: Db;
  readonly worker: Worker;
  readonly holder: Holder;
  readonly actor = new Actor();
  /** How it asks Zendesk beside its runs. */
  readonly asking: { options: Partial<ClientOptions>; signal: AbortSignal };
  dead = false;
  private readonly ending = new AbortController();
  private readonly clients = new Set<pg.PoolClient>();
  private readonly pool: pg.Pool;
  private gate: { open: () => void; opened: Promise<void> } | null = null;
  private halt = deferred();
  private queriesLeft = Number.POSITIVE_INFINITY;
  private connectsLeft = Number.POSITIVE_INFINITY;

  constructor(
    private readonly ground: Ground,
    holder: Holder,
  ) {
    this.holder = holder;
    const { url, config, log, time, clock } = ground;
    const opened = openDatabase(url, { poolSize: 4, applicationName: holder.nonce });
    this.db = opened.db;
    this.pool = opened.pool;
    this.guardPool();
    const client: Partial<ClientOptions> = {
      ...ground.client,
      random: () => ground.random.next(),
      sleep: async (milliseconds, signal) => {
        await this.passage();
        await time.sleep(this.actor, milliseconds, signal ?? this.ending.signal);
        await this.passage();
      },
    };
    this.asking = { options: client, signal: this.ending.signal };
    this.worker = new WatchedWorker({ config, db: this.db, log }, { holder, slots: 2, clock, client }, (work) =>
      time.during(this.actor, work),
    );
  }

  get name(): string {
    return holderName(this.holder);
  }

  get stopped(): boolean {
    return this.gate !== null;
  }

  get context(): Pick<Context, "config" | "db" | "log"> {
    return { config: this.ground.config, db: this.db, log: this.ground.log };
  }

  /** Something that the process does beside its runs; what fails there is the log's. */
  async doing(work: () => Promise<unknown>): Promise<void> {
    if (this.dead || this.stopped) return;
    const done = work().catch((error: unknown) => this.ground.log.error({ err: error }, "a job failed"));
    await Promise.race([done, this.halt.promise]);
  }

  /** The same for work that sleeps: time goes on meanwhile. */
  beside(work: () => Promise<unknown>): Promise<void> {
    return this.doing(() => this.ground.time.during(this.actor, work));
  }

  /** Cuts the power in the middle of the nth query from now. */
  killAtQuery(n: number): void {
    this.queriesLeft = n;
  }

  /** Stops the process right before the nth transaction from now. */
  stopAtTransaction(n: number): void {
    this.connectsLeft = n;
  }

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    this.ground.disturbedAt = this.ground.time.now();
    this.ground.killedAt.add(this.ground.time.now());
    this.ground.time.freeze(this.actor);
    for (const client of this.clients) socketOf(client).destroy();
    this.halt.resolve();
  }

  /** Its requests under way must not reach the account any more. */
  forget(scopes: readonly Scope[]): void {
    this.ending.abort();
    for (const scope of scopes) this.worker.dismiss(scope);
  }

  stop(): void {
    const { promise, resolve } = deferred();
    this.gate = { open: resolve, opened: promise };
    this.connectsLeft = Number.POSITIVE_INFINITY;
    this.ground.disturbedAt = this.ground.time.now();
    this.ground.time.freeze(this.actor);
    this.halt.resolve();
  }

  goOn(): void {
    this.gate?.open();
    this.gate = null;
    this.halt = deferred();
    this.ground.time.thaw(this.actor);
  }

  beat(): Promise<void> {
    return this.worker.beat();
  }

  /** As a stop by the operator: runs rest at a page boundary. */
  async close(): Promise<void> {
    if (this.dead) return;
    if (this.stopped) this.goOn();
    // Who sleeps would never wake: time does not pass while a process ends.
    this.ending.abort();
    await this.worker.drain(patience);
    await this.pool.end();
  }

  private async passage(): Promise<void> {
    if (this.dead) await never();
    while (this.gate) await this.gate.opened;
  }

  private guardPool(): void {
    const { pool } = this;
    const connect = pool.connect.bind(pool) as () => Promise<pg.PoolClient>;
    pool.connect = (async () => {
      if (--this.connectsLeft <= 0) this.stop();
      await this.passage();
      const client = await connect();
      await this.passage();
      return client;
    }) as typeof pool.connect;
    pool.on("connect", (client) => {
      this.clients.add(client);
      this.guardQueries(client);
    });
    pool.on("remove", (client) => this.clients.delete(client));
  }

  private guardQueries(client: pg.PoolClient): void {
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = ((...given: unknown[]) => {
      if (--this.queriesLeft <= 0) this.kill();
      if (this.dead) return never();
      const sent = query(...given);
      return sent instanceof Promise ? this.unlessDead(sent) : sent;
    }) as typeof client.query;
  }

  private async unlessDead<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      return this.dead ? never() : result;
    } catch (error) {
      if (this.dead) return never();
      throw error;
    }
  }
}

/** Tells when it works, so that time can stand still meanwhile. */
class WatchedWorker extends Worker {
  constructor(
    ctx: ConstructorParameters<typeof Worker>[0],
    options: ConstructorParameters<typeof Worker>[1],
    private readonly watch: <T>(work: () => Promise<T>) => Promise<T>,
  ) {
    super(ctx, options);
  }

  override work(...given: Parameters<Worker["work"]>): ReturnType<Worker["work"]> {
    return this.watch(() => super.work(...given));
  }
}

function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { connection: { stream: Socket } }).connection.stream;
}
