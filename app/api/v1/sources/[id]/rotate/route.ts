import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/sources.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { rotateWriteKey } from "#lib/sources/sources.ts";

export const POST = route(operations.rotateWriteKey, ({ context, workspaceId, params, body, now }) =>
  rotateWriteKey(context, workspaceId, params.id, body, now),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
