import { route } from "#app/api/handler.ts";
import { getMatchKeys, putMatchKeys as put } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readMatchKeys } from "#lib/matching/run.ts";
import { connectionScope, putMatchKeys } from "#lib/matching/store.ts";

export const GET = route(getMatchKeys, async ({ db, workspaceId, params }) => ({
  keys: await readMatchKeys(db, await connectionScope(db, workspaceId, params.id)),
}));

export const PUT = route(put, async ({ trx, workspaceId, params, body }) =>
  putMatchKeys(trx, await connectionScope(trx, workspaceId, params.id), body.keys),
);

export const { POST, PATCH, DELETE } = otherMethodsThan("GET", "PUT");
