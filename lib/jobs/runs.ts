import type { Selectable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { SyncRunStreamTable, SyncRunTable } from "#db/schema.ts";
import { type Run, streamNames } from "#lib/connections/shapes.ts";
import { invalid, notFound } from "#lib/errors.ts";
import { readRuns } from "#lib/jobs/store/runs.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Runs of a connection, newest first. The cursor is the id of the last one. */
export async function listRuns(
  trx: Trx,
  scope: Scope,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ items: Run[]; nextCursor: string | null }> {
  if (page.cursor !== undefined && !isId(page.cursor)) {
    throw invalid("The cursor is not one of this list.", [{ path: "cursor", message: "take it from nextCursor" }]);
  }
  const found = await readRuns(trx, scope, { limit: page.limit + 1, beforeId: page.cursor });
  const items = found.slice(0, page.limit).map(({ run, streams }) => presentRun(run, streams));
  return { items, nextCursor: found.length > page.limit ? (items.at(-1)?.id ?? null) : null };
}

export async function getRun(trx: Trx, scope: Scope, runId: string): Promise<Run> {
  const [found] = isId(runId) ? await readRuns(trx, scope, { limit: 1, id: runId }) : [];
  if (!found) throw notFound(`Run ${runId}`);
  return presentRun(found.run, found.streams);
}

const isId = (text: string): boolean => /^\d{1,18}$/.test(text);

function presentRun(run: Selectable<SyncRunTable>, streams: Selectable<SyncRunStreamTable>[]): Run {
  const since = run.finished_at ?? run.started_at ?? run.requested_at;
  return {
    id: run.id,
    mode: run.mode as Run["mode"],
    trigger: run.trigger,
    state: run.state as Run["state"],
    waitingUntil: run.waiting_until?.toISOString() ?? null,
    requestedAt: run.requested_at.toISOString(),
    startedAt: run.started_at?.toISOString() ?? null,
    finishedAt: run.finished_at?.toISOString() ?? null,
    streams: streamNames.flatMap((name) => {
      const stream = streams.find((candidate) => candidate.stream === name);
      return stream ? [presentStream(name, stream)] : [];
    }),
    failure: run.failure_code
      ? {
          code: run.failure_code,
          message: run.failure_message ?? "",
          since: since.toISOString(),
          action: run.failure_action ?? "",
        }
      : null,
  };
}

function presentStream(name: Run["streams"][number]["name"], stream: Selectable<SyncRunStreamTable>) {
  return {
    name,
    state: stream.state,
    pages: stream.pages,
    rows: {
      read: Number(stream.rows_read),
      inserted: Number(stream.inserted),
      updated: Number(stream.updated),
      unchanged: Number(stream.unchanged),
      deleted: Number(stream.deleted),
      repaired: Number(stream.repaired),
      held: Number(stream.held),
    },
    cleaned: Number(stream.cleaned),
    restarts: stream.restarts,
  };
}
