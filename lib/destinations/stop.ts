import type { Trx } from "#db/client.ts";
import { holdDestination } from "#lib/destinations/destinations.ts";
import { updateDestination } from "#lib/destinations/store/destinations.ts";

/** Nothing more is sent from now on but what is under way; what is queued stays queued, and events are taken (row 103). */
export async function stopDestination(trx: Trx, workspaceId: number, id: string, by: string, now: Date): Promise<void> {
  const row = await holdDestination(trx, workspaceId, id);
  if (row.stopped_at !== null) return;
  await updateDestination(trx, workspaceId, row.id, { stopped_at: now, stopped_by: by, updated_at: now });
}

/** Goes on sending. */
export async function startDestination(trx: Trx, workspaceId: number, id: string, now: Date): Promise<void> {
  const row = await holdDestination(trx, workspaceId, id);
  await updateDestination(trx, workspaceId, row.id, { stopped_at: null, stopped_by: null, updated_at: now });
}
