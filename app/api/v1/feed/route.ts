import { route } from "#app/api/handler.ts";
import { getFeed } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { workspaceFeed } from "#lib/timeline/list.ts";

export const GET = route(getFeed, ({ context, db, workspaceId, query }) =>
  workspaceFeed(db, workspaceId, query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
