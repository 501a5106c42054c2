import { route } from "#app/api/handler.ts";
import { getWorkspace, updateWorkspace as update } from "#app/api/operations/workspace.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readWorkspace, updateWorkspace } from "#lib/workspace/store.ts";

export const GET = route(getWorkspace, ({ db, workspaceId }) => readWorkspace(db, workspaceId));

export const PATCH = route(update, ({ trx, workspaceId, body, now }) => updateWorkspace(trx, workspaceId, body, now));

export const { POST, PUT, DELETE } = otherMethodsThan("GET", "PATCH");
