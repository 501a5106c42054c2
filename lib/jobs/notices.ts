import type { Context } from "#lib/context.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { deliverLetters } from "#lib/notifications/deliver.ts";
import { keepNotices } from "#lib/notifications/keep.ts";

/** Brings the notices of every workspace up to their facts, and sends what is due. One workspace's trouble is not the others'. */
export async function tellNotices(ctx: Pick<Context, "config" | "db" | "log">, now: Date): Promise<void> {
  const workspaces = await listWorkspaces(ctx.db);
  // First what the screens show, then what a mail server may hold up.
  for (const work of [keepNotices, deliverLetters]) {
    for (const { id: workspaceId } of workspaces) {
      await work(ctx, workspaceId, now).catch((error: unknown) =>
        ctx.log.error({ err: error, workspaceId }, "the notices of a workspace could not be kept"),
      );
    }
  }
}
