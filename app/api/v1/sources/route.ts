import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/sources.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { withEligibility } from "#lib/destinations/eligible-sources.ts";
import { createSource, listSources } from "#lib/sources/sources.ts";

export const GET = route(operations.listSources, async ({ db, workspaceId, query, now }) => {
  const { items, nextCursor } = await listSources(db, workspaceId, query, now);
  return { items: await withEligibility(db, workspaceId, query, items), nextCursor };
});

export const POST = route(operations.createSource, ({ trx, workspaceId, body, actor, now }) =>
  createSource(trx, workspaceId, { name: body.name, createdBy: actor.label }, now),
);

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
