import { route } from "#app/api/handler.ts";
import { testDestination as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { machineClock } from "#lib/clock.ts";
import { testDestination } from "#lib/destinations/test-destination.ts";

export const POST = route(operation, ({ context, workspaceId, params, body }) =>
  testDestination(context, workspaceId, params.id, body, machineClock),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
