import { route } from "#app/api/handler.ts";
import { archiveConnection } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { archive } from "#lib/connections/lifecycle.ts";
import { connectionScope, getConnection } from "#lib/connections/list.ts";

export const POST = route(archiveConnection, async ({ trx, workspaceId, params, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  await archive(trx, scope, now);
  return getConnection(trx, scope);
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
