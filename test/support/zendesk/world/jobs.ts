import { randomBytes } from "node:crypto";
import { DAY } from "./clock.ts";
import type { World } from "./world.ts";

export type JobResult = Record<string, unknown>;

export interface Job {
  id: string;
  type: string;
  status: "queued" | "working" | "completed" | "failed" | "killed";
  total: number;
  progress: number | null;
  message: string | null;
  results: JobResult[] | null;
  createdAt: number;
}

/** How long Zendesk still tells of a job. */
const keptFor = DAY;

/** What an account does later: bulk writes, and what a write sets off. */
export class Jobs {
  private readonly all = new Map<string, Job>();

  constructor(private readonly world: World) {}

  /** Queues a job: it works after half of the account's `jobTime` and is done after all of it. */
  queue(type: string, total: number, run: () => JobResult[]): Job {
    const { world } = this;
    const now = world.now();
    const job: Job = {
      id: `V3-${randomBytes(16).toString("hex")}`,
      type,
      status: "queued",
      total,
      progress: null,
      message: null,
      results: null,
      createdAt: now,
    };
    this.all.set(job.id, job);
    world.schedule.plan(now + world.settings.jobTime / 2, () => {
      if (job.status === "queued") Object.assign(job, { status: "working", progress: 0 });
    });
    world.schedule.plan(now + world.settings.jobTime, () => {
      if (job.status === "killed") return;
      const results = run();
      const message = `Completed at ${new Date(world.now()).toISOString()}`;
      Object.assign(job, { status: "completed", progress: total, results, message });
    });
    return job;
  }

  find(id: string): Job | undefined {
    const job = this.all.get(id);
    return job !== undefined && this.world.now() - job.createdAt < keptFor ? job : undefined;
  }

  /** Newest first. */
  recent(): Job[] {
    return [...this.all.keys()].flatMap((id) => this.find(id) ?? []).reverse();
  }

  inFlight(): Job[] {
    return this.recent().filter(({ status }) => status === "queued" || status === "working");
  }
}
