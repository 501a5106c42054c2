import { route } from "#app/api/handler.ts";
import { getAccountTimeline } from "#app/api/operations/accounts.ts";
import { accountTimeline } from "#lib/timeline/list.ts";

export const GET = route(getAccountTimeline, ({ db, workspaceId, params, query }) =>
  accountTimeline(db, workspaceId, params.id, query),
);
