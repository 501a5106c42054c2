import { route } from "#app/api/handler.ts";
import { getAccountTimeline } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { accountTimeline } from "#lib/timeline/list.ts";

export const GET = route(getAccountTimeline, ({ context, db, workspaceId, params, query }) =>
  accountTimeline(db, workspaceId, params.id, query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
