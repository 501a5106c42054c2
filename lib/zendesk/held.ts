import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type StreamName, streamNames } from "#lib/connections/shapes.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { isDeadlock } from "#lib/zendesk/reading.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { holdRows, type KeptRow, lockHeldRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/** So many rows a transaction: a run that goes on meanwhile waits for no more than that. */
const batch = 50;
const attempts = 4;

interface Retried {
  released: number;
  held: number;
}
/** `last` is the key after which the next batch begins, null when there is none. */
type Batch = Retried & { last: string | null };

/**
 * Tries to store held rows again, as they came: what was wrong with them may have been ours (row 55). Of one stream, or the
 * one row with that key, where named. A run may go on meanwhile. Gives how many of them were released and are held still.
 */
export async function retryHeldRows(
  ctx: { db: Db },
  scope: Scope,
  now: Date,
  stream?: StreamName,
  key?: string,
): Promise<Retried> {
  const total: Retried = { released: 0, held: 0 };
  for (const name of stream ? [stream] : streamNames) {
    let after: string | null = "";
    while (after !== null) {
      const which = { after, limit: batch, key };
      const done: Batch = await insist(ctx.db, scope, (trx) => retryBatch(trx, scope, name, which, now));
      total.released += done.released;
      total.held += done.held;
      after = done.last;
    }
  }
  return total;
}

async function insist<T>(db: Db, scope: Scope, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inWorkspace(db, scope.workspaceId, work);
    } catch (error) {
      if (attempt >= attempts || !isDeadlock(error)) throw error;
    }
  }
}

async function retryBatch(
  trx: Trx,
  scope: Scope,
  name: StreamName,
  which: { after: string; limit: number; key: string | undefined },
  now: Date,
): Promise<Batch> {
  const rows = await lockHeldRows(trx, scope, name, which);
  let released = 0;
  for (const row of rows) if (await retry(trx, scope, name, row, now)) released++;
  if (released > 0) await weighHeldRows(trx, scope, name, now);
  const last = rows.length === which.limit ? (rows.at(-1)?.key ?? null) : null;
  return { released, held: rows.length - released, last };
}

async function retry(trx: Trx, scope: Scope, name: StreamName, held: KeptRow, now: Date): Promise<boolean> {
  const wire = wireOf(held);
  if (!wire) return false;
  const stream = streamNamed(name);
  const page = {
    part: partOf(held.key, name),
    rows: [wire],
    text: "",
    at: null,
    end: true,
    // It came then: what was fetched since and bears the same version holds (row 19).
    requestedAt: held.lastHeldAt,
    stamp: null,
  };
  const stored = await storeRows(trx, stream, scope, makeRows(stream, page), now);
  if (stream.touchesTimeline) await refreshTimeline(trx, scope, stored.ids, now);
  const [still] = stored.held;
  if (still) {
    await holdRows(trx, scope, name, [{ ...still, key: held.key, payload: held.payload }], held.lastHeldAt);
    return false;
  }
  await releaseRows(trx, scope, name, [held.key]);
  return true;
}

function wireOf(held: KeptRow): Wire | null {
  try {
    const wire = parseJson(held.payload);
    return isObject(wire) ? wire : null;
  } catch {
    return null;
  }
}

/** Streams of several lists write the list before the id. */
function partOf(key: string, name: StreamName): string {
  return /^(\w+_fields|custom_statuses|survey|legacy):/.exec(key)?.[1] ?? name;
}
