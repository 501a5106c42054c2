import type { Api } from "#lib/zendesk/budgets.ts";

/** What an answer's header says of one budget. */
export interface Told {
  limit: number;
  remaining: number;
  /** Seconds to the end of its window. */
  resets: number | null;
}

/** Announced budgets that are a target's own. */
const announcedPerTarget: Record<string, string> = { "per-ticket-updates": "ticket" };

type Headers = Record<string, string | string[] | undefined>;

/**
 * The budgets that an answer announces, by their names here. What has no name in the headers is of the API that was asked: an
 * answer about customer events says nothing of the account's budget.
 */
export function announcements(headers: Headers, target: string | undefined, api: Api): Map<string, Told> {
  const found = new Map<string, Told>();
  const whole = announcedForApi(headers);
  if (whole) found.set(api, whole);
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith("zendesk-ratelimit-")) continue;
    const told = announcedForEndpoint(String(value));
    const name = header.slice("zendesk-ratelimit-".length);
    const own = announcedPerTarget[name];
    if (told && (!own || target !== undefined)) found.set(own ? `${own}:${target}` : name, told);
  }
  return found;
}

/** `ratelimit-*`, its older spelling `rate-limit*`, or the legacy pair `x-rate-limit*`. */
function announcedForApi(headers: Headers): Told | null {
  const read = (...names: string[]) =>
    names.map((name) => natural(headers[name])).find((value) => value !== null) ?? null;
  const limit = read("ratelimit-limit", "rate-limit", "rate-limit-limit", "x-rate-limit");
  const remaining = read("ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining");
  if (limit === null || limit === 0) return null;
  return { limit, remaining: remaining ?? limit, resets: read("ratelimit-reset", "rate-limit-reset") };
}

/** `total=100; remaining=99; resets=49` */
function announcedForEndpoint(value: string): Told | null {
  const parts = new Map(value.split(";").map((part) => part.trim().split("=") as [string, string]));
  const limit = natural(parts.get("total"));
  if (limit === null || limit === 0) return null;
  return { limit, remaining: natural(parts.get("remaining")) ?? limit, resets: natural(parts.get("resets")) };
}

function natural(value: string | string[] | undefined): number | null {
  return typeof value === "string" && /^\d{1,9}$/.test(value.trim()) ? Number(value) : null;
}
