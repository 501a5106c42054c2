import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readDoctorReport, runDoctor } from "#lib/connections/doctor.ts";
import { connectionScope } from "#lib/connections/list.ts";

export const GET = route(operations.getDoctorReport, ({ db, workspaceId, params }) =>
  readDoctorReport(db, connectionScope(workspaceId, params.id)),
);

export const POST = route(operations.runDoctor, ({ context, workspaceId, params, now }) =>
  runDoctor(context, connectionScope(workspaceId, params.id), now),
);

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
