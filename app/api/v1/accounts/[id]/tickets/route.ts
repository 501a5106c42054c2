import { route } from "#app/api/handler.ts";
import { listAccountTickets as operation } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { accountTicketsCsv, listAccountTickets } from "#lib/reports/tickets.ts";

export const GET = route(operation, ({ context, db, workspaceId, params, query, now }) =>
  query.format === "csv"
    ? accountTicketsCsv(db, workspaceId, params.id, query, now, context.config.zendesk.urlTemplate)
    : inWorkspace(db, workspaceId, (trx) =>
        listAccountTickets(trx, workspaceId, params.id, query, now, context.config.zendesk.urlTemplate),
      ),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
