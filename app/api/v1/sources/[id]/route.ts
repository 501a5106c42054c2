import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/sources.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { changeSource, getSource, removeSource } from "#lib/sources/sources.ts";

export const GET = route(operations.getSource, ({ db, workspaceId, params, now }) =>
  getSource(db, workspaceId, params.id, now),
);

export const PATCH = route(operations.updateSource, ({ context, workspaceId, params, body, now }) =>
  changeSource(context, workspaceId, params.id, body, now),
);

export const DELETE = route(operations.deleteSource, async ({ context, workspaceId, params, now }) => {
  await removeSource(context, workspaceId, params.id, now);
  return new Response(null, { status: 204 });
});

export const { POST, PUT } = otherMethodsThan("GET", "PATCH", "DELETE");
