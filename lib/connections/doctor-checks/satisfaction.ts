import { type Finding, type LiveVisit, ok, unknown } from "#lib/connections/doctor-checks/finding.ts";
import { ask, type Permission, streamFinding } from "#lib/connections/doctor-checks/streams.ts";

/** Both systems of satisfaction ratings, and which of them the plan runs (row 36). */
export async function checkSatisfaction(visit: LiveVisit): Promise<Finding[]> {
  const legacy = await ask(visit, { path: "/api/v2/satisfaction_ratings", expect: "satisfaction_ratings" });
  const surveys = await ask(visit, { path: "/api/v2/guide/survey_responses", expect: "survey_responses" });
  return [streamPermission(visit, legacy, surveys), systemFinding(legacy, surveys)];
}

/** One system is enough; that a plan has none is no fault (row 37). */
function streamPermission(visit: LiveVisit, legacy: Permission, surveys: Permission): Finding {
  const either = [legacy, surveys];
  const granted = either.find(({ is }) => is === "granted");
  const scope = either.find((permission) => permission.is === "refused" && permission.code === "missing_scope");
  const untried = either.find(({ is }) => is === "untried");
  const decisive = granted ?? scope ?? untried;
  if (decisive) return streamFinding(visit, "satisfaction_ratings", decisive);
  if (visit.identity?.role !== "admin") return streamFinding(visit, "satisfaction_ratings", legacy);
  const said = "Not part of this Zendesk plan: CSAT shows “no data”, never 0 %.";
  return ok("stream:satisfaction_ratings", said);
}

function systemFinding(legacy: Permission, surveys: Permission): Finding {
  if (legacy.is === "granted" && surveys.is === "granted") {
    return ok("csat", "Both: legacy ratings and survey responses answer; both are read, no answer counts twice.");
  }
  if (legacy.is === "granted" && surveys.is === "refused") return ok("csat", "Legacy satisfaction ratings.");
  if (legacy.is === "refused" && surveys.is === "granted") return ok("csat", "Surveys (the newer CSAT).");
  if (legacy.is === "refused" && surveys.is === "refused") {
    return ok("csat", "None answers: neither legacy ratings nor surveys.");
  }
  const reason = [legacy, surveys].find((permission) => permission.is === "untried");
  return unknown("csat", reason?.is === "untried" ? reason.reason : "");
}
