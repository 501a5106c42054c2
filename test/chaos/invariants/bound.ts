import type pg from "pg";
import type { Violation } from "../violation.ts";

/** Requests that one run may send: the whole year read page by page, each retried to the bound. */
const mostRequests = 2_500;
const mostGrowth = 700 * 1024 * 1024;

/** INV-BOUND: retries, queues, connections and memory stay under stated bounds. */
export class BoundWatch {
  private readonly atStart = process.memoryUsage().rss;
  peak = 0;

  async check(owner: pg.Client, instances: number): Promise<Violation[]> {
    const { rss } = process.memoryUsage();
    this.peak = Math.max(this.peak, rss);
    const { rows } = await owner.query<{ requests: number; live: number; sessions: number }>(`
      select (select coalesce(max(requests), 0) from sync_run)::int as requests,
             (select coalesce(max(live), 0) from (select count(*) as live from sync_run
               where state in ('queued', 'running', 'waiting') group by connection_id) counts)::int as live,
             (select count(*) from pg_stat_activity where datname = current_database() and application_name !~ '^chaos')::int as sessions`);
    const { requests = 0, live = 0, sessions = 0 } = rows[0] ?? {};
    const breaches = [
      requests > mostRequests && `one run sent ${requests} requests`,
      live > 1 && `${live} live runs of one connection`,
      sessions > 4 * (instances + 2) && `${sessions} database sessions of ${instances} instances`,
      rss - this.atStart > mostGrowth && `memory grew by ${Math.round((rss - this.atStart) / 2 ** 20)} MiB`,
    ];
    return breaches.filter((what) => what !== false).map((what) => ({ invariant: "INV-BOUND", what }));
  }
}
