import type { z } from "zod";
import type { PlainCall } from "#app/api/handler.ts";
import type { cronAnswer } from "#lib/connections/shapes.ts";
import { invalid } from "#lib/errors.ts";
import { runDue, type ScheduledWork } from "#lib/jobs/cron.ts";
import { requireCronSecret } from "#lib/jobs/cron-secret.ts";
import { processWorker } from "#lib/jobs/process.ts";

const defaultBudget = 50;
const largestBudget = 3600;

/** What the cron routes have in common: the secret, and what the call asks for. */
export function callOf(request: Request, context: PlainCall["context"]): { force: boolean; budgetSeconds: number } {
  requireCronSecret(request.headers.get("authorization"), context.config.secrets.cron);
  const { searchParams } = new URL(request.url);
  return { force: searchParams.get("force") === "1", budgetSeconds: readBudget(searchParams) };
}

/** Does what is due, and says how far it is. */
export async function doDue(request: Request, { context }: PlainCall, what: ScheduledWork): Promise<Response> {
  const call = { what, ...callOf(request, context) };
  const answer: z.input<typeof cronAnswer> = await runDue(context, processWorker(context), call, () => new Date());
  return Response.json(answer);
}

function readBudget(query: URLSearchParams): number {
  const text = query.get("budgetSeconds");
  if (text === null) return defaultBudget;
  if (/^\d{1,4}$/.test(text) && Number(text) <= largestBudget) return Number(text);
  const message = `must be whole seconds from 0 to ${largestBudget}`;
  throw invalid(`budgetSeconds ${message}.`, [{ path: "budgetSeconds", message }]);
}
