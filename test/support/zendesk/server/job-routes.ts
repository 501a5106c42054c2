import { wireId } from "../wire/json.ts";
import type { Id } from "../world/ids.ts";
import type { Job, JobResult } from "../world/jobs.ts";
import { type Answer, ok, Refusal, recordNotFound } from "./answer.ts";
import { type Given, isGiven } from "./given.ts";
import type { Call, Route } from "./routes.ts";

const mostInFlight = 30;

/** What became of bulk writes (zendesk-api section 8.3). */
export const jobRoutes: Route[] = [
  {
    method: "GET",
    path: "/job_statuses",
    demands: { scope: "tickets" },
    answer: ({ request }) => {
      const jobs = request.world.jobs.recent().slice(0, 100);
      return ok({ job_statuses: jobs.map((job) => jobRow(request.base, job)) });
    },
  },
  {
    method: "GET",
    path: "/job_statuses/show_many",
    demands: { scope: "tickets" },
    answer: ({ request }) => {
      const ids = (request.query.get("ids") ?? "").split(",");
      const jobs = ids.flatMap((id) => request.world.jobs.find(id) ?? []);
      return ok({ job_statuses: jobs.map((job) => jobRow(request.base, job)), count: jobs.length });
    },
  },
  {
    method: "GET",
    path: "/job_statuses/{id}",
    demands: { scope: "tickets" },
    answer: ({ request, params }) => {
      const job = request.world.jobs.find(params.id ?? "");
      if (job === undefined) throw recordNotFound();
      return ok({ job_status: jobRow(request.base, job) });
    },
  },
];

/** A bulk write: each of the rows as if it were alone, later, its result or its refusal in the job's results. */
export function inBulk(call: Call, type: string, rows: readonly Given[], write: (row: Given) => JobResult): Answer {
  const { world, base } = call.request;
  const current = world.jobs.inFlight();
  if (current.length >= mostInFlight) {
    const description = "Too many jobs are currently queued or running. Try again later.";
    const json = { error: "TooManyJobs", description, current_job_ids: current.map(({ id }) => id) };
    throw new Refusal({ status: 429, headers: { "retry-after": "60" }, json });
  }
  const job = world.jobs.queue(type, rows.length, () => rows.map((row, index) => resultOf(row, index, write)));
  return ok({ job_status: jobRow(base, job) });
}

function resultOf(row: Given, index: number, write: (row: Given) => JobResult): JobResult {
  try {
    return { index, ...write(row) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { json } = error.answer;
    const { error: title, description, details } = isGiven(json) ? json : {};
    return { index, ...(row.id !== undefined && { id: row.id }), error: title, description, details };
  }
}

/** What Zendesk does some time after a membership has ended. */
export function unassignLater(call: Call, userId: Id, organizationId: Id): void {
  const { world } = call.request;
  world.jobs.queue("unassign_organization", 1, () => {
    const tickets = world.users.unassignTickets(userId, organizationId);
    for (const ticket of tickets) {
      call.note("ticket.updated", ticket.id, { organization_id: wireId(ticket.organizationId) }, "job");
    }
    return [{ id: Number(userId), action: "update", status: "Updated", success: true }];
  });
}

function jobRow(base: string, job: Job): Record<string, unknown> {
  const { id, type, status, total, progress, message, results } = job;
  return {
    id,
    job_type: type,
    url: `${base}/api/v2/job_statuses/${id}.json`,
    status,
    total,
    progress,
    message,
    results,
  };
}
