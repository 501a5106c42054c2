import { type Db, inWorkspace } from "#db/client.ts";
import { checkClocks } from "#lib/connections/doctor-checks/clocks.ts";
import { checkDatabase } from "#lib/connections/doctor-checks/database.ts";
import { type Check, examine } from "#lib/connections/doctor-checks/examine.ts";
import { checkKeys, checkTitles, type Finding, type Visit } from "#lib/connections/doctor-checks/finding.ts";
import { checkMail } from "#lib/connections/doctor-checks/mail.ts";
import { checkRateLimits } from "#lib/connections/doctor-checks/rate-limits.ts";
import { checkSchedule } from "#lib/connections/doctor-checks/schedule.ts";
import { checkWebhook } from "#lib/connections/doctor-checks/webhook.ts";
import { examineZendesk } from "#lib/connections/doctor-checks/zendesk.ts";
import { requireConnection } from "#lib/connections/list.ts";
import { loadConnection } from "#lib/connections/load.ts";
import type { DoctorCheck, DoctorReport } from "#lib/connections/shapes.ts";
import { readChecks, readDoctorFacts, saveChecks } from "#lib/connections/store/doctor.ts";
import type { Context } from "#lib/context.ts";
import { notFound } from "#lib/errors.ts";
import { concealValues } from "#lib/log.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What was not answered by then is not known. Milliseconds. */
const patience = 18_000;

const localChecks: Check<Visit>[] = [
  { keys: ["webhook"], find: async (visit) => checkWebhook(visit) },
  { keys: ["schedule"], find: async (visit) => checkSchedule(visit) },
  { keys: ["database"], find: async (visit) => checkDatabase(visit) },
  { keys: ["mail"], find: checkMail },
];

/** What the doctor last found; nothing before it was ever asked. Throws `not_found`. */
export async function readDoctorReport(db: Db, scope: Scope): Promise<DoctorReport> {
  await requireConnection(db, scope);
  const stored = new Map((await readChecks(db, scope)).map((check) => [check.key, check]));
  const checks = checkKeys.flatMap((key): DoctorCheck[] => {
    const check = stored.get(key);
    if (!check) return [];
    const { state, found, action, checked_at: at } = check;
    const title = checkTitles[key];
    return [{ key, title, state: state as DoctorCheck["state"], found, action, checkedAt: at.toISOString() }];
  });
  return { checkedAt: checks[0]?.checkedAt ?? null, checks };
}

/**
 * Runs every check of a connection now and keeps what they found. No check throws: what could not be tried within
 * `patienceMs` is unknown, with the reason, and never ok. Throws `not_found`.
 */
export async function runDoctor(
  ctx: Pick<Context, "config" | "db" | "log">,
  scope: Scope,
  now: Date,
  patienceMs = patience,
): Promise<DoctorReport> {
  const visit = await begin(ctx, scope, now, patienceMs);
  const [{ findings, behindZendesk }, local] = await Promise.all([examineZendesk(visit), examine(localChecks, visit)]);
  const databaseAhead = Math.round((visit.facts.database.now.getTime() - now.getTime()) / 1000);
  const clocks = checkClocks(visit, { behindZendesk, databaseAhead });
  // Last, so that what this very visit took of the budgets is in it; a moment of the database's, whatever Zendesk took.
  const limits = await examine([{ keys: ["rate_limits"], find: checkRateLimits }], {
    ...visit,
    over: AbortSignal.timeout(2000),
  });
  const report = [...findings, ...local, ...clocks, ...limits].map(withoutSecrets);
  return inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    await saveChecks(trx, scope, report, now);
    return readDoctorReport(trx, scope);
  });
}

function begin(ctx: Visit["ctx"], scope: Scope, now: Date, patienceMs: number): Promise<Visit> {
  const over = AbortSignal.timeout(patienceMs);
  return inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    await requireConnection(trx, scope);
    const connection = await loadConnection(trx, scope);
    if (!connection) throw notFound("The connection");
    return { ctx, scope, connection, facts: await readDoctorFacts(trx, scope), now, over, patienceMs };
  });
}

/** Zendesk's and the mail server's own words may hold what nobody should read. */
function withoutSecrets(finding: Finding): Finding {
  return { ...finding, found: concealValues(finding.found) };
}
