import { Cron } from "croner";
import { inWorkspace } from "#db/client.ts";
import { readConfig } from "#lib/config.ts";
import { jobs } from "#lib/jobs/catalogue.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { openLog } from "#lib/log.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";
import { type ChaosAccount, chaosAccounts, installation, type Size } from "./accounts.ts";
import { Bustle } from "./bustle.ts";
import { type Canary, openCanary } from "./canary.ts";
import { Chronicle } from "./chronicle.ts";
import { connectAccount, makeWorkspaces, reconnectAccount } from "./connect.ts";
import { type ChaosDatabase, openChaosDatabase } from "./database.ts";
import { DatabaseFaults } from "./database-faults.ts";
import { Inspector } from "./inspector.ts";
import type { Ground } from "./instance.ts";
import { Past } from "./past.ts";
import { Processes } from "./processes.ts";
import type { ChaosReport } from "./report.ts";
import { RequestFaults, troublesOf } from "./request-faults.ts";
import { type SpellKind, Spells } from "./spells.ts";
import { SimulatedTime } from "./time.ts";
import { Intake } from "./webhooks.ts";

export interface ChaosOptions {
  seed: number;
  hours: number;
  /** The server's owner's address; the run makes a database of its own there. */
  server: string;
  size?: Partial<Size>;
  /** How often accounts, processes and the database fall ill, and things happen in the accounts; 1 is a bad day. Default 1. */
  intensity?: number;
  /** Which spells accounts fall under. Default: all. */
  spells?: readonly SpellKind[] | undefined;
  /** Ends at the first violation, without the calm. */
  untilFirst?: boolean;
  tell?: (line: string) => void;
  /** Receives each line of the product's own log. */
  hear?: (line: string) => void;
}

const step = 2 * MINUTE;
/** Jobs that look at the wall clock, or wait for people: webhooks are checked by `Intake`. */
const ownClock = ["webhooks", "notices"];
const syncEveryMinutes = 15;
/** Of all requests, the part that meets a fault. */
const faultShare = 0.05;
/** For how long the product waits for an answer of an account. Milliseconds of real time. */
const deadlines = { connect: 500, headers: 500, idle: 300, total: 1200 };
/** So long a standstill of this process may make an answer miss them. */
const stall = 150;
/** How long a person leaves a request to sign in again lying about. */
const personTakes = 15 * MINUTE;

/** Runs the product against accounts that live, under faults of every group, and after a calm says what was violated. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const database = await openChaosDatabase(options.server);
  const canary = await openCanary();
  const accounts = chaosAccounts(options.seed, { tickets: 90, days: 45, accounts: 4, ...options.size });
  const time = new SimulatedTime(accounts.map(({ world }) => world));
  const zendesk = await startZendesk({
    worlds: accounts.map(({ world }) => world),
    limits: { now: () => time.now(), incremental: 30 },
  });
  const intake = new Intake();
  const publicUrl = await intake.open();
  const run = new ChaosRun(options, { database, canary, accounts, time, zendesk, intake, publicUrl });
  try {
    return await run.run();
  } finally {
    await intake.close();
    await run.close();
    await zendesk.close();
    await canary.close();
    await database.close();
  }
}

interface Parts {
  database: ChaosDatabase;
  canary: Canary;
  accounts: ChaosAccount[];
  time: SimulatedTime;
  zendesk: Zendesk;
  intake: Intake;
  /** Where the accounts find the product. */
  publicUrl: string;
}

class ChaosRun {
  private readonly began = performance.now();
  private readonly random: Random;
  private readonly intensity: number;
  private readonly lines: string[] = [];
  /** How far the product's clock is ahead of Zendesk's. */
  private readonly skew: number;
  private readonly ground: Ground;
  private readonly bustles: Map<string, Bustle>;
  private readonly spells: Spells;
  private readonly databaseFaults: DatabaseFaults;
  private readonly processes: Processes;
  private readonly inspector: Inspector;
  private requestFaults: RequestFaults | null = null;
  private readonly asksSince = new Map<ChaosAccount, number>();
  private reconnects = 0;
  private lastTick: number;

  constructor(
    private readonly options: ChaosOptions,
    private readonly parts: Parts,
  ) {
    const { seed, intensity = 1 } = options;
    this.intensity = intensity;
    const { database, accounts, time, zendesk, canary } = parts;
    this.random = seededRandom(`${seed}:driver`);
    time.lockWaiters = () => lockWaiters(database);
    this.skew = this.random.pick([0, 0, 8, -8]) * MINUTE;
    this.lastTick = time.now();
    const config = readConfig({
      DATABASE_URL: database.url,
      AUTH_SECRET: "a".repeat(32),
      ENCRYPTION_KEY: "e".repeat(32),
      CRON_SECRET: "c".repeat(32),
      ZENDESK_URL: zendesk.url,
      PUBLIC_URL: parts.publicUrl,
      ZENDESK_CLIENT_ID: installation.id,
      ZENDESK_CLIENT_SECRET: installation.secret,
    });
    this.ground = {
      url: database.url,
      config,
      log: openLog((line) => {
        this.lines.push(line);
        options.hear?.(`${new Date(time.now()).toISOString()} ${line}`);
      }, "info"),
      time,
      clock: () => new Date(time.now() + this.skew),
      random: seededRandom(`${seed}:jitter`),
      disturbedAt: 0,
      killedAt: new Set(),
      client: { deadlines },
    };
    this.bustles = new Map(accounts.map((account) => [account.subdomain, new Bustle(account, seed)]));
    const pasts = new Map(accounts.map((account) => [account, new Past(account)]));
    this.databaseFaults = new DatabaseFaults(database.url, database.owner, seededRandom(`${seed}:database`), () => {
      this.ground.disturbedAt = time.now();
    });
    this.processes = new Processes(this.ground, database.owner, seededRandom(`${seed}:processes`), () =>
      accounts.map(({ scope }) => scope),
    );
    this.spells = new Spells(
      zendesk,
      accounts,
      seed,
      ({ scope }) => !this.processes.executes(scope),
      () => this.databaseFaults.terminate(false),
      options.spells,
    );
    this.inspector = new Inspector({
      url: database.url,
      owner: database.owner,
      chronicle: new Chronicle(database.owner),
      accounts,
      bustles: this.bustles,
      pasts,
      spells: this.spells,
      time,
      zendesk,
      canary,
      lines: this.lines,
      skew: this.skew,
      disturbedAt: () => this.ground.disturbedAt,
      killedAt: this.ground.killedAt,
      tell: options.tell ?? (() => {}),
      hear: options.hear ?? (() => {}),
    });
  }

  async run(): Promise<ChaosReport> {
    const watch = this.watchForStalls();
    try {
      return await this.passTheHours();
    } finally {
      clearInterval(watch);
    }
  }

  /** Deadlines are real time: answers that this very process is too busy to read in time are lost like those of a dead one. */
  private watchForStalls(): NodeJS.Timeout {
    let last = performance.now();
    return setInterval(() => {
      const now = performance.now();
      if (now - last > stall) this.ground.disturbedAt = this.parts.time.now();
      last = now;
    }, stall / 6);
  }

  private async passTheHours(): Promise<ChaosReport> {
    const { time } = this.parts;
    const { hours, tell = () => {} } = this.options;
    await this.inspector.install();
    await this.connectAll();
    this.beginFaults();
    const begin = time.now();
    for (let hour = 1; hour <= hours; hour++) {
      await this.trouble(begin + hour * HOUR);
      await this.inspector.inspectSecrets();
      if (this.isOver()) return this.report();
      tell(`hour ${hour}: ${this.inspector.progress(this.faultsStruck())}, ${this.processes.kills} killed`);
    }
    await this.calm();
    return this.report();
  }

  async close(): Promise<void> {
    await this.processes.close();
    await this.inspector.close();
  }

  private async connectAll(): Promise<void> {
    const { accounts, database } = this.parts;
    const workspaces = await makeWorkspaces(database.owner, syncEveryMinutes, this.ground.clock());
    for (const account of accounts) {
      const context = this.processes.any?.context;
      if (context) await connectAccount(context, account, workspaces[account.workspace] ?? 0, this.ground.clock());
    }
  }

  private beginFaults(): void {
    this.parts.intake.begin(
      { ...this.parts, clock: this.ground.clock, anyProcess: () => this.processes.any },
      this.options.seed,
    );
    const { zendesk, accounts, canary } = this.parts;
    this.requestFaults = new RequestFaults(
      zendesk,
      troublesOf(accounts, this.bustles, canary.origin),
      this.options.seed,
      faultShare,
    );
    const { databaseFaults, random } = this;
    zendesk.faults.before({ when: () => random.chance(0.003) }, () => databaseFaults.terminate(false));
    zendesk.faults.before({ when: () => random.chance(0.004) }, () => databaseFaults.rival());
  }

  /** The faulty time, minute by minute. */
  private async trouble(until: number): Promise<void> {
    const { time } = this.parts;
    while (time.now() < until && !this.isOver()) {
      await time.runUntil(time.now() + step);
      for (const bustle of this.bustles.values()) bustle.pass(step, 10 * this.intensity);
      for (const { kind, account } of this.spells.step(time.now(), step, 5 * this.intensity)) {
        // What it closes, or hides, is asked for by a nightly check alone.
        if (kind === "checks refused" || kind === "rows not found by id") await this.askForOne("reconcile", account);
      }
      await this.disturbDatabase();
      this.processes.trouble((this.intensity * step) / (3 * HOUR));
      await this.tick(step);
      if (this.random.chance((this.intensity * step) / (6 * HOUR))) this.parts.intake.tamper();
      await this.answerAsPerson();
      if (this.random.chance((this.intensity * step) / (8 * HOUR))) await this.askForOne("reconcile");
      if (Math.round(time.now() / step) % 10 === 0) await this.inspector.inspect();
    }
  }

  private isOver(): boolean {
    return this.options.untilFirst === true && this.inspector.violations.found.length > 0;
  }

  private readOnlyFor = 0;

  private async disturbDatabase(): Promise<void> {
    if (this.readOnlyFor > 0 && --this.readOnlyFor === 0) await this.databaseFaults.readOnly(false);
    else if (this.random.chance((this.intensity * step) / (8 * HOUR)) && this.readOnlyFor === 0) {
      this.readOnlyFor = this.random.between(3, 12);
      await this.databaseFaults.readOnly(true);
    } else if (this.random.chance((this.intensity * step) / (6 * HOUR))) await this.databaseFaults.terminate(true);
  }

  /** What each process does by its clock: heartbeats, the search for dead runs, the catalogue's jobs. */
  private async tick(length: number): Promise<void> {
    const { processes, ground } = this;
    await processes.step(length);
    const now = ground.clock();
    const due = jobs.filter(
      ({ name, pattern }) => !ownClock.includes(name) && isDue(pattern, new Date(this.lastTick), now),
    );
    this.lastTick = now.getTime();
    for (const instance of processes.living) {
      await instance.doing(() => instance.worker.reap());
      for (const job of due) await instance.doing(() => job.run(instance.context, instance.worker, ground.clock()));
    }
    await this.parts.intake.step();
  }

  /** Signs in again where the product has asked for it for a while. */
  private async answerAsPerson(): Promise<void> {
    const { time, accounts } = this.parts;
    for (const account of accounts) {
      const asks = await this.inspector.asksForPerson(account);
      if (!asks) {
        this.asksSince.delete(account);
        continue;
      }
      const since = this.asksSince.get(account) ?? time.now();
      this.asksSince.set(account, since);
      const instance = this.processes.any;
      if (time.now() - since < personTakes || !instance || this.databaseFaults.isReadOnly) continue;
      await instance.doing(async () => {
        await reconnectAccount(instance.context, account, this.ground.clock);
        this.reconnects++;
        this.inspector.signedIn(account);
      });
    }
  }

  /**
   * Faults end, the accounts rest, and the product gets what it needs: incremental runs, a nightly check, a day for absences
   * to be confirmed, and another check.
   */
  private async calm(): Promise<void> {
    const { time, accounts, database } = this.parts;
    if (this.requestFaults) this.requestFaults.share = 0;
    await this.databaseFaults.readOnly(false);
    await this.databaseFaults.settle();
    this.parts.zendesk.faults.clear();
    this.parts.intake.calm();
    this.spells.calm(time.now());
    for (const { world } of accounts) world.schedule.takeDue = () => undefined;
    for (const bustle of this.bustles.values()) bustle.calm();
    await this.processes.calm();
    await this.pass(2 * HOUR);
    await database.owner.query("update workspace set sync_interval_minutes = 180");
    await this.ask("reconcile");
    await this.pass(25 * HOUR);
    await this.ask("reconcile");
    await this.pass(2 * HOUR);
    await this.ask("incremental");
    await this.rest();
    await this.inspector.inspect();
    await this.inspector.conclude(this.ground.clock());
  }

  private async pass(milliseconds: number): Promise<void> {
    const { time } = this.parts;
    const until = time.now() + milliseconds;
    while (time.now() < until) {
      const length = Math.min(30 * MINUTE, until - time.now());
      await time.runUntil(time.now() + length);
      await this.tick(length);
      await this.answerAsPerson();
      if (Math.floor(time.now() / (2 * HOUR)) !== Math.floor((time.now() - length) / (2 * HOUR)))
        await this.inspector.inspect();
    }
  }

  /** A person does not wait for the night. */
  private async askForOne(mode: "reconcile", account = this.random.pick(this.parts.accounts)): Promise<void> {
    const instance = this.processes.any;
    const { scope } = account;
    await instance?.doing(() =>
      inWorkspace(instance.db, scope.workspaceId, (trx) =>
        requestRun(trx, scope, { mode, trigger: "person" }, this.ground.clock()),
      ),
    );
  }

  /** Until no run is under way, three hours at most: one that is asked for then is a run of its own. */
  private async rest(): Promise<void> {
    for (let tries = 0; tries < 18; tries++) {
      await this.pass(10 * MINUTE);
      if (!(await this.inspector.anyRunLives())) return;
    }
  }

  private async ask(mode: "reconcile" | "incremental"): Promise<void> {
    await this.rest();
    const db = this.processes.any?.db;
    if (!db) return;
    for (const { scope } of this.parts.accounts) {
      await inWorkspace(db, scope.workspaceId, (trx) =>
        requestRun(trx, scope, { mode, trigger: "person" }, this.ground.clock()),
      );
    }
  }

  private faultsStruck(): number {
    return [...(this.requestFaults?.struck.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  private async report(): Promise<ChaosReport> {
    const { seed, hours } = this.options;
    const counted = await this.inspector.counts();
    return {
      seed,
      hours,
      violations: this.inspector.violations.found,
      counts: {
        faults: Object.fromEntries(this.requestFaults?.struck ?? []),
        database: Object.fromEntries(this.databaseFaults.struck),
        spells: counted.spells,
        kills: this.processes.kills,
        stops: this.processes.stops,
        reconnects: this.reconnects,
        runs: counted.runs,
        pages: counted.pages,
        repaired: counted.repaired,
        requests: this.parts.zendesk.journal.entries.length,
        refusals: counted.refusals,
        silences: counted.silences,
        excused: counted.excused,
        webhooks: this.parts.intake.finish(),
        standstills: this.parts.time.standstills,
      },
      seconds: (performance.now() - this.began) / 1000,
      peakMiB: counted.peakMiB,
    };
  }
}

async function lockWaiters({ owner }: ChaosDatabase): Promise<number> {
  const { rows } = await owner.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
  );
  return rows[0]?.count ?? 0;
}

function isDue(pattern: string, after: Date, now: Date): boolean {
  const next = new Cron(pattern, { timezone: "UTC", paused: true }).nextRun(after);
  return next !== null && next <= now;
}
