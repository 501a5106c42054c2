import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type StreamName, streamNames } from "#lib/connections/shapes.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { type HeldRow, holdRows, readHeldRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/**
 * Tries to store held rows again, as they came: what was wrong with them may have been ours. Rows that Zendesk no longer
 * finds are not tried; the nightly run judges them.
 */
export async function retryHeldRows(
  ctx: { db: Db },
  scope: Scope,
  now: Date,
  stream?: StreamName,
): Promise<{ released: number; held: number }> {
  return inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    const total = { released: 0, held: 0 };
    for (const name of stream ? [stream] : streamNames) {
      const rows = await readHeldRows(trx, scope, name);
      for (const row of rows) {
        const released = await retry(trx, scope, name, row, now);
        if (released) total.released++;
        else total.held++;
      }
    }
    return total;
  });
}

async function retry(trx: Trx, scope: Scope, name: StreamName, held: HeldRow, now: Date): Promise<boolean> {
  const wire = wireOf(held);
  if (!wire) return false;
  const stream = streamNamed(name);
  const page = {
    part: partOf(held.key, name),
    rows: [wire],
    text: "",
    at: null,
    end: true,
    requestedAt: now,
    stamp: null,
  };
  const stored = await storeRows(trx, stream, scope, makeRows(stream, page), now);
  if (stream.touchesTimeline) await refreshTimeline(trx, scope, stored.ids, now);
  if (stored.held.length > 0) {
    await holdRows(trx, scope, name, stored.held, now);
    return false;
  }
  await releaseRows(trx, scope, name, [held.key]);
  return true;
}

function wireOf(held: HeldRow): Wire | null {
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
