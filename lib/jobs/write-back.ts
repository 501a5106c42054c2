import { inWorkspace, type Trx } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { lockDestination, updateDestination } from "#lib/destinations/store/destinations.ts";
import { writeBackRules, writingBack } from "#lib/destinations/store/write-back.ts";
import { queueWriteBack } from "#lib/destinations/write-back.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { versionOfChanges } from "#lib/reports/changes.ts";
import { fieldDifferences } from "#lib/reports/write-back.ts";

/**
 * So many organizations of a destination are queued at once, the rest with the next look: one transaction stays short. How many
 * writes a stop cannot hold back any more is limited where they are sent (row 103), and the preview counts them all before.
 */
const writeBackBatch = 500;
/** Marks are instants: a change by a process whose clock is behind may leave none, and is found with the next look of this kind. */
const atLeastEveryMs = 15 * 60_000;

/**
 * So long after it was written an organization is left alone: what we write may change a number itself, where a rule of the account's
 * answers it with a ticket, and must not go round faster than that (row 95).
 */
const restMs = 5 * 60_000;

/**
 * Compares, for every destination that writes back, what should stand in Zendesk with what was written last, and queues what
 * differs. Costs nothing where no number has changed since the last look. Gives the workspaces that have something to send.
 */
export async function writeBackChanges(
  ctx: Pick<Context, "db" | "log">,
  now: Date,
  batch = writeBackBatch,
): Promise<number[]> {
  const queued: number[] = [];
  for (const { id: workspaceId } of await listWorkspaces(ctx.db)) {
    const destinations = await inWorkspace(ctx.db, workspaceId, (trx) => writingBack(trx, workspaceId));
    for (const id of destinations) {
      const organizations = await inWorkspace(ctx.db, workspaceId, (trx) => compare(trx, workspaceId, id, batch, now));
      if (organizations === 0) continue;
      queued.push(workspaceId);
      ctx.log.info({ workspaceId, destinationId: id, organizations }, "changed numbers are written back");
    }
  }
  return [...new Set(queued)];
}

/** How many organizations were queued. Two processes that look at once take turns. */
async function compare(trx: Trx, workspaceId: number, id: number, batch: number, now: Date): Promise<number> {
  const destination = await lockDestination(trx, workspaceId, id);
  if (!destination?.enabled || destination.stopped_at !== null) return 0;
  const version = `${await versionOfChanges(trx, workspaceId)} ${Math.floor(now.getTime() / atLeastEveryMs)}`;
  if (version === destination.write_back_version) return 0;
  const rules = (await writeBackRules(trx, workspaceId, id)).filter((rule) => rule.enabled);
  const restSince = new Date(now.getTime() - restMs);
  const { organizations, resting, rows } = await fieldDifferences(trx, destination, rules, now, {
    limit: batch,
    restSince,
  });
  if (rows.length > 0) await queueWriteBack(trx, destination, rows, now);
  if (organizations <= batch && resting === 0) {
    await updateDestination(trx, workspaceId, id, { write_back_version: version });
  }
  return Math.min(organizations, batch);
}
