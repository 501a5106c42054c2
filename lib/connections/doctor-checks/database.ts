import { type Finding, ok, type Visit, warning } from "#lib/connections/doctor-checks/finding.ts";

/** The oldest minor release of each PostgreSQL without known faults that matter here. */
const floors: Record<number, number> = { 15: 19, 16: 15, 17: 11, 18: 6 };
const newest = Math.max(...Object.keys(floors).map(Number));

export function checkDatabase({ ctx, facts }: Pick<Visit, "ctx" | "facts">): Finding[] {
  const { version, number } = facts.database;
  // Its version comes with ours: there is nothing to be done about it.
  if (ctx.config.database.isEmbedded)
    return [ok("database", `Embedded PostgreSQL ${version}, the newest that npm has.`)];
  const major = Math.floor(number / 10_000);
  const minor = number % 10_000;
  const floor = floors[major];
  const found = `PostgreSQL ${version}.`;
  if (major > newest || (floor !== undefined && minor >= floor)) return [ok("database", found)];
  const wanted = floor === undefined ? `PostgreSQL ${newest}.${floors[newest]}` : `${major}.${floor}`;
  const action = `Update the database server to ${wanted} or newer.`;
  return [warning("database", `${found} ${wanted} is the oldest that has the fixes needed here.`, action)];
}
