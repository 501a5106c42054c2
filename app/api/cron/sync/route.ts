import { doDue } from "#app/api/cron/call.ts";
import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";

export const POST = plainRoute("cron sync", (request, call) => doDue(request, call, "sync"));

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
