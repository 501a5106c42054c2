import { type Finding, ok, unknown, type Visit, warning } from "#lib/connections/doctor-checks/finding.ts";
import { countWords } from "#lib/number-words.ts";
import { instantWords } from "#lib/time-words.ts";
import { baseUrl } from "#lib/zendesk/address.ts";
import { readBudgets } from "#lib/zendesk/limits.ts";

/** What the account allows, what we took of it and what others did, after this visit's own requests. */
export async function checkRateLimits(visit: Visit): Promise<Finding[]> {
  const { ctx, connection, now } = visit;
  const account = baseUrl(ctx.config.zendesk.urlTemplate, connection.subdomain);
  const { blockedUntil, slowUntil, budgets } = await readBudgets(ctx.db, account);
  const present = budgets.filter(({ resetAt }) => resetAt > now);
  const found = present.map(budgetWords).join(" ");
  if (blockedUntil && blockedUntil > now) {
    const blocked = `Zendesk asked to send nothing before ${instantWords(blockedUntil)}. ${found}`.trim();
    return [
      warning(
        "rate_limits",
        blocked,
        "Nothing to do: reading goes on then. If it repeats, see which other tool uses the limit up.",
      ),
    ];
  }
  if (slowUntil && slowUntil > now) {
    const slow =
      `Refused at Zendesk's edge: half as much as usual is sent until ${instantWords(slowUntil)}. ${found}`.trim();
    return [warning("rate_limits", slow, "Nothing to do: the usual pace comes back by itself.")];
  }
  if (present.length === 0) return [unknown("rate_limits", "Nothing was sent lately, so no limit is known.")];
  const crowded = present.find(({ limit, remaining, used }) => limit - remaining - used > limit * 0.8);
  if (!crowded) return [ok("rate_limits", found)];
  return [
    warning(
      "rate_limits",
      found,
      "Other tools use most of this limit: see which, in Zendesk's Admin Center under API usage.",
    ),
  ];
}

function budgetWords(budget: {
  bucket: string;
  limit: number;
  remaining: number;
  used: number;
  resetAt: Date;
}): string {
  const { bucket, limit, remaining, used, resetAt } = budget;
  const others = Math.max(0, limit - remaining - used);
  const name = bucket.replaceAll(/[_-]/g, " ");
  return `${name}: ${countWords(limit)} in a window, ${countWords(used)} used by us, ${countWords(others)} by others, ${countWords(Math.max(0, remaining))} left until ${instantWords(resetAt)}.`;
}
