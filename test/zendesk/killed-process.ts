import { inWorkspace, openDatabase } from "#db/client.ts";
import { runStreams } from "#lib/zendesk/sync.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

/** A process whose only purpose is to be killed while it syncs. */
const { SYNC_DATABASE = "", SYNC_ZENDESK = "", SYNC_SCOPE = "" } = process.env;
const [workspaceId = 0, connectionId = 0] = SYNC_SCOPE.split(":").map(Number);
const { db } = openDatabase(SYNC_DATABASE, { poolSize: 2 });

const { connection, runId } = await inWorkspace(db, workspaceId, async (trx) => {
  await trx.deleteFrom("sync_run").where("connection_id", "=", connectionId).execute();
  const run = await trx
    .insertInto("sync_run")
    .values({
      workspace_id: workspaceId,
      connection_id: connectionId,
      mode: "incremental",
      trigger: "person",
      state: "running",
      requested_at: new Date(),
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  const connection = await trx
    .selectFrom("connection")
    .selectAll()
    .where("id", "=", connectionId)
    .executeTakeFirstOrThrow();
  return { connection, runId: run.id };
});
process.send?.("begun");
await runStreams(
  { config: configFor({ url: SYNC_ZENDESK }), db, log: silentLog },
  {
    scope: { workspaceId, connectionId },
    connection,
    mode: "incremental",
    runId,
    fence: async () => {},
    deadline: () => false,
    clock: () => new Date("2026-03-02T09:00:00Z"),
  },
);
await db.destroy();
