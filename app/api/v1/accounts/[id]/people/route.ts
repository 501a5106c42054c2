import { route } from "#app/api/handler.ts";
import { listAccountPeople } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { peopleOfAccount } from "#lib/people/list.ts";

export const GET = route(listAccountPeople, ({ context, db, workspaceId, params, query }) =>
  peopleOfAccount(db, workspaceId, params.id, query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
