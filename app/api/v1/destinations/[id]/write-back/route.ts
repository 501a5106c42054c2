import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { putWriteBack } from "#lib/destinations/write-back.ts";
import { readWriteBack } from "#lib/reports/write-back.ts";

export const GET = route(operations.getWriteBack, ({ db, workspaceId, params, now }) =>
  readWriteBack(db, workspaceId, params.id, now),
);

export const PUT = route(operations.replaceWriteBack, async ({ trx, workspaceId, params, body, actor, now }) => {
  await putWriteBack(trx, workspaceId, params.id, body, actor.label, now);
  return readWriteBack(trx, workspaceId, params.id, now);
});

export const { POST, PATCH, DELETE } = otherMethodsThan("GET", "PUT");
