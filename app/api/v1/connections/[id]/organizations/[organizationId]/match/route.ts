import { route } from "#app/api/handler.ts";
import { deleteMatch, putMatch } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope, decideMatch, withdrawDecision } from "#lib/matching/store.ts";
import { readOrganization } from "#lib/reports/organizations.ts";

export const PUT = route(putMatch, async ({ trx, workspaceId, params, body, actor, now }) => {
  const scope = await connectionScope(trx, workspaceId, params.id);
  await decideMatch(trx, scope, params.organizationId, body, actor.label, now);
  return readOrganization(trx, scope, params.organizationId);
});

export const DELETE = route(deleteMatch, async ({ trx, workspaceId, params }) => {
  const scope = await connectionScope(trx, workspaceId, params.id);
  await withdrawDecision(trx, scope, params.organizationId);
  return readOrganization(trx, scope, params.organizationId);
});

export const { GET, POST, PATCH } = otherMethodsThan("PUT", "DELETE");
