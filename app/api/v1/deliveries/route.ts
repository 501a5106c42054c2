import { route } from "#app/api/handler.ts";
import { listDeliveries as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listDeliveries } from "#lib/destinations/deliveries.ts";

export const GET = route(operation, ({ context, db, workspaceId, query }) =>
  listDeliveries(db, context.config, workspaceId, query),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
