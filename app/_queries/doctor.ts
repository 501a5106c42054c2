import { queryOptions } from "@tanstack/react-query";
import { apiGet, apiSend } from "#app/_queries/client.ts";
import { connectionPath, connectionQueries } from "#app/_queries/connections.ts";
import type { DoctorReport } from "#lib/connections/shapes.ts";

/** What the doctor of a connection last found. */
export const doctorQuery = (id: string) =>
  queryOptions({
    queryKey: [...connectionQueries.all(), id, "doctor"],
    queryFn: ({ signal }) => apiGet<DoctorReport>(`${connectionPath(id)}/doctor`, {}, signal),
  });

/** Runs every check now; takes as long as Zendesk takes to answer. */
export const runDoctor = (id: string) => apiSend<DoctorReport>("POST", `${connectionPath(id)}/doctor`);
