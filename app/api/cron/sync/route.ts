import { doDue } from "#app/api/cron/call.ts";
import { plainRoute } from "#app/api/handler.ts";

export const POST = plainRoute("cron sync", (request, call) => doDue(request, call, "sync"));
