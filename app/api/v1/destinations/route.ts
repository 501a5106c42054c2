import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { createDestination, listDestinations } from "#lib/destinations/destinations.ts";

export const GET = route(operations.listDestinations, ({ db, workspaceId, query, now }) =>
  listDestinations(db, workspaceId, query, now),
);

export const POST = route(operations.createDestination, ({ trx, workspaceId, body, actor, now }) =>
  createDestination(trx, workspaceId, body, actor.label, now),
);

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
