import { route } from "#app/api/handler.ts";
import { getDelivery as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { getDeliveryDetail } from "#lib/destinations/deliveries.ts";

export const GET = route(operation, ({ context, db, workspaceId, params }) =>
  getDeliveryDetail(db, context.config, workspaceId, params.id),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
