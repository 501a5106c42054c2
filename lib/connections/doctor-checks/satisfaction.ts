import { type Finding, type LiveVisit, ok, unknown, warning } from "#lib/connections/doctor-checks/finding.ts";
import { ask, type Permission, streamFinding } from "#lib/connections/doctor-checks/streams.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import { type RatingSystem, type RatingsHeard, ratingsAccess } from "#lib/zendesk/ratings-reader.ts";
import type { Access } from "#lib/zendesk/refused-lists.ts";

type Permissions = Record<RatingSystem, Permission>;

const titles: Record<RatingSystem, string> = { legacy: "Legacy ratings", survey: "Surveys" };

/** Both systems of satisfaction ratings, and which of them the account runs (row 36). Judged as a run judges them. */
export async function checkSatisfaction(visit: LiveVisit): Promise<Finding[]> {
  const permissions: Permissions = {
    legacy: await ask(visit, { path: "/api/v2/satisfaction_ratings", expect: "satisfaction_ratings" }),
    survey: await ask(visit, { path: "/api/v2/guide/survey_responses", expect: "survey_responses" }),
  };
  const heard = heardOf(permissions);
  const access = ratingsAccess(heard, visit.facts.ratings, visit.identity?.role === "admin");
  return [streamOf(visit, permissions, access), systemOf(visit, permissions, heard, access)];
}

function heardOf(permissions: Permissions): RatingsHeard {
  const heard: RatingsHeard = { answered: [], refused: [] };
  for (const [system, permission] of Object.entries(permissions) as [RatingSystem, Permission][]) {
    if (permission.is === "granted") heard.answered.push(system);
    if (permission.is === "refused") heard.refused.push({ system, code: permission.code, message: permission.message });
  }
  return heard;
}

/** One system is enough where the account runs one; that a plan has none is no fault (row 37). */
function streamOf(visit: LiveVisit, { legacy, survey }: Permissions, access: Access): Finding {
  const lacksScope = access instanceof ZendeskError && access.code === "missing_scope";
  const untried = [legacy, survey].find(({ is }) => is === "untried");
  if (untried && !lacksScope) return streamFinding(visit, "satisfaction_ratings", untried);
  if (access instanceof ZendeskError) {
    return streamFinding(visit, "satisfaction_ratings", { is: "refused", ...access.words() });
  }
  if (access === "granted") return streamFinding(visit, "satisfaction_ratings", { is: "granted" });
  return ok("stream:satisfaction_ratings", "Not part of this Zendesk plan: CSAT shows “no data”, never 0 %.");
}

function systemOf(visit: LiveVisit, permissions: Permissions, heard: RatingsHeard, access: Access): Finding {
  const untried = Object.values(permissions).find((permission) => permission.is === "untried");
  if (untried?.is === "untried") return unknown("csat", untried.reason);
  const found = systemWords(heard.answered);
  if (!(access instanceof ZendeskError)) return ok("csat", found);
  const unscoped = heard.refused.filter(({ code }) => code === "missing_scope").map(({ system }) => titles[system]);
  if (unscoped.length > 0) {
    const why = `${unscoped.join(" and ")} may not be read for want of a scope: whether the account runs them is not known.`;
    return warning("csat", `${found} ${why}`, access.action);
  }
  if (heard.answered.length === 0 && visit.identity?.role !== "admin") {
    return unknown("csat", `${found} That may be for the login's role.`);
  }
  const lost = heard.answered.length === 0 ? "Some" : heard.refused.map(({ system }) => titles[system]).join();
  return warning("csat", `${found} ${lost} answered before.`, access.action);
}

function systemWords(answered: readonly RatingSystem[]): string {
  if (answered.length === 2)
    return "Both: legacy ratings and survey responses answer; both are read, no answer counts twice.";
  if (answered[0] === "legacy") return "Legacy satisfaction ratings.";
  return answered[0] === "survey" ? "Surveys (the newer CSAT)." : "None answers: neither legacy ratings nor surveys.";
}
