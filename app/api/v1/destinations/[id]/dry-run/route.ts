import { route } from "#app/api/handler.ts";
import { dryRunDestination as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { machineClock } from "#lib/clock.ts";
import { dryRunDestination } from "#lib/destinations/dry-run.ts";

export const POST = route(operation, ({ context, workspaceId, params, body }) =>
  dryRunDestination(context, workspaceId, params.id, body, machineClock),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
