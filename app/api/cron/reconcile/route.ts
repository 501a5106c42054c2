import { doDue } from "#app/api/cron/call.ts";
import { plainRoute } from "#app/api/handler.ts";

export const POST = plainRoute("cron reconcile", (request, call) => doDue(request, call, "reconcile"));
