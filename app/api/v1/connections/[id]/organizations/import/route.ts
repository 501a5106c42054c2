import { route } from "#app/api/handler.ts";
import { importDecisions } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { uploadDecisions } from "#lib/matching/upload.ts";

export const POST = route(importDecisions, async ({ db, workspaceId, params, request, actor, now }) => {
  const bytes = new Uint8Array(await request.arrayBuffer());
  return uploadDecisions(db, workspaceId, params.id, bytes, actor.label, now);
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
