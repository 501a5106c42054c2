import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type pg from "pg";
import { metricSlots, trendBlocks, windowCounts } from "#db/schema.ts";
import { metricColumns } from "#lib/metrics/counts.ts";
import { addDays, dayIn } from "#lib/metrics/windows.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { copyOut } from "./copy.ts";
import { NOW } from "./generate.ts";

/** Windows of a new workspace, in the order of their slots. */
export const WINDOWS = [7, 14, 30, 90, 180];
const today = dayIn("UTC", NOW);
const day = (days: number) => `date '${addDays(today, days)}'`;
const counted = "organization_id is not null and deleted_at is null";
const isTop = "coalesce(priority in ('high', 'urgent'), false)";
const isUnsolved = "coalesce(status_category in ('new', 'open', 'pending', 'hold'), false)";

/** DuckDB with two threads and the same tickets: an analytical engine that has nothing else to do. */
export class Reference {
  private constructor(
    private readonly connection: DuckDBConnection,
    private readonly instance: DuckDBInstance,
  ) {}

  static async load(owner: pg.Client, scope: Scope): Promise<Reference> {
    const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
    const reference = new Reference(await instance.connect(), instance);
    const ws = scope.workspaceId;
    await reference.take(owner, "ticket", ws, {
      organization_id: "bigint",
      created_at: "timestamp",
      rated_at: "timestamp",
      deleted_at: "timestamp",
      priority: "varchar",
      status_category: "varchar",
      rating: "tinyint",
    });
    await reference.take(owner, "organization", ws, { id: "bigint", account_id: "bigint" });
    const counts = Object.fromEntries(metricColumns.map((column) => [column, "integer"]));
    const scores = Object.fromEntries(
      metricSlots.flatMap((slot) => [
        [`w${slot}_csat`, "real"],
        [`w${slot}_csat_top`, "real"],
      ]),
    );
    await reference.take(owner, "account_metric", ws, { account_id: "bigint", name: "varchar", ...counts, ...scores });
    return reference;
  }

  async run(sql: string): Promise<void> {
    await this.connection.run(sql);
  }

  async rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.connection.runAndReadAll(sql)).getRowObjects();
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private async take(owner: pg.Client, table: string, ws: number, columns: Record<string, string>): Promise<void> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-bench-csv-"));
    const file = path.join(folder, `${table}.csv`);
    const inUtc = (name: string) => (columns[name] === "timestamp" ? `${name} at time zone 'UTC'` : name);
    const selected = Object.keys(columns).map(inUtc).join(", ");
    try {
      await copyOut(
        owner,
        `copy (select ${selected} from ${table} where workspace_id = ${ws}) to stdout (format csv)`,
        file,
      );
      const types = Object.entries(columns).map(([name, type]) => `'${name}': '${type}'`);
      await this.run(
        `create table ${table} as select * from read_csv('${file}', header = false, columns = {${types.join(", ")}})`,
      );
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** The days of each range that the product keeps, by the name that its columns begin with: first day and the day after the last. */
const ranges = [
  ...WINDOWS.map((days, i) => ({ name: `w${i + 1}`, from: day(1 - days), end: day(1), counts: windowCounts })),
  ...WINDOWS.map((days, i) => ({
    name: `p${i + 1}`,
    from: day(1 - 2 * days),
    end: day(1 - days),
    counts: windowCounts,
  })),
  ...trendBlocks.map((block) => ({
    name: `t${block}`,
    from: day(1 - 7 * (13 - block)),
    end: day(1 - 7 * (12 - block)),
    counts: ["created"] as const,
  })),
];
type Range = (typeof ranges)[number];

/** One column a count of each range; `created` and `rated` say when a row lies in it. */
function rangeCounts(
  some: readonly Range[],
  created: (range: Range) => string,
  rated: (range: Range) => string,
  count: (condition: string) => string,
): string {
  const columns = some.flatMap((range) => {
    const conditions: Record<(typeof windowCounts)[number], string> = {
      created: created(range),
      created_top: `${created(range)} and top`,
      good: `${rated(range)} and rating = 3`,
      neutral: `${rated(range)} and rating = 2`,
      bad: `${rated(range)} and rating = 1`,
      good_top: `${rated(range)} and rating = 3 and top`,
      neutral_top: `${rated(range)} and rating = 2 and top`,
      bad_top: `${rated(range)} and rating = 1 and top`,
    };
    return range.counts.map((name) => `${count(conditions[name])} as ${range.name}_${name}`);
  });
  return columns.join(", ");
}

const countWhere = (condition: string) => `count(*) filter (where ${condition})`;
const within = (at: string) => (range: Range) => `${at} >= ${range.from} and ${at} < ${range.end}`;
const instants = (some: readonly Range[]) => rangeCounts(some, within("created_at"), within("rated_at"), countWhere);
const standing =
  "count(*) as total, count(*) filter (where unsolved) as unsolved, count(*) filter (where unsolved and top) as unsolved_top";

/** The counts of org_metric by one GROUP BY over the tickets, as the product's rebuild counts them. */
export const organizationCounts = `
  select organization_id, ${standing}, ${instants(ranges)}
    from (select *, ${isTop} as top, ${isUnsolved} as unsolved from ticket where ${counted}) t group by organization_id`;

/** The best that we know for DuckDB: few buckets of each organization first, the ranges from those. */
export const organizationCountsByBucket = (() => {
  const bounds = [...new Set(ranges.flatMap((range) => [range.from, range.end]))].sort();
  // How many of the bounds are not after the instant, youngest first: most rows of a range are young.
  const bucket = (at: string) =>
    `case ${bounds
      .map((bound, i) => `when ${at} >= ${bound} then ${i + 1}`)
      .reverse()
      .join(" ")} else 0 end`;
  const lies = (column: string) => (range: Range) =>
    `${column} between ${bounds.indexOf(range.from) + 1} and ${bounds.indexOf(range.end)}`;
  const sum = (condition: string) => `coalesce(sum(n) filter (where ${condition}), 0)`;
  return `
    select organization_id, sum(n) as total, sum(n) filter (where unsolved) as unsolved,
           sum(n) filter (where unsolved and top) as unsolved_top, ${rangeCounts(ranges, lies("created"), lies("rated"), sum)}
      from (select organization_id, ${isTop} as top, ${isUnsolved} as unsolved, rating, ${bucket("created_at")} as created,
                   case when rating is not null then ${bucket("rated_at")} end as rated, count(*) as n
              from ticket where ${counted} group by all) buckets group by organization_id`;
})();

/** The counts of org_day. */
export const dayCounts = `
  select organization_id, day, sum(created) as created, sum(created_top) as created_top, sum(good) as good,
         sum(neutral) as neutral, sum(bad) as bad, sum(good_top) as good_top, sum(neutral_top) as neutral_top,
         sum(bad_top) as bad_top
    from (select organization_id, created_at::date as day, 1 as created, ${isTop}::int as created_top, 0 as good, 0 as neutral,
                 0 as bad, 0 as good_top, 0 as neutral_top, 0 as bad_top from ticket where ${counted} and created_at is not null
          union all
          select organization_id, rated_at::date, 0, 0, (rating = 3)::int, (rating = 2)::int, (rating = 1)::int,
                 (rating = 3 and ${isTop})::int, (rating = 2 and ${isTop})::int, (rating = 1 and ${isTop})::int
            from ticket where ${counted} and rating is not null) part
   group by organization_id, day`;

/** The counts of accounts, from those of organizations that stand in table `organization_count`. */
export const accountCounts = `
  select account_id, ${metricColumns.map((column) => `sum(${column}) as ${column}`).join(", ")}
    from organization_count c join organization o on o.id = c.organization_id where account_id is not null group by account_id`;

/** A page of the portfolio, out of the snapshot. `column` is one of account_metric's. */
export function topOfSnapshot(column: string, descending: boolean, skip: number): string {
  const direction = descending ? "desc" : "asc";
  return `select * from account_metric order by ${column} ${direction}, account_id ${direction} limit 50 offset ${skip}`;
}

/** The same page with nothing but the tickets to go by: the standing counts and one window, all accounts, the first 50. */
export function topFromTickets(column: string, descending: boolean, slot: number): string {
  const direction = descending ? "desc" : "asc";
  const window = instants(
    ranges.filter(({ name }) => name === `w${slot}` || name === `p${slot}` || name.startsWith("t")),
  );
  const rated = (suffix: string) =>
    ["good", "neutral", "bad"].map((answer) => `w${slot}_${answer}${suffix}`).join(" + ");
  const score = (suffix: string) => `coalesce(w${slot}_good${suffix} / nullif(${rated(suffix)}, 0), -1)`;
  return `
    select * from (
      select *, ${score("")} as w${slot}_csat, ${score("_top")} as w${slot}_csat_top
        from (select account_id, ${standing}, ${window}
                from (select t.*, o.account_id, ${isTop} as top, ${isUnsolved} as unsolved
                        from ticket t join organization o on o.id = t.organization_id
                       where ${counted} and o.account_id is not null) t group by account_id) counts) scored
     order by ${column} ${direction}, account_id ${direction} limit 50`;
}
