import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type StreamName, streamNames } from "#lib/connections/shapes.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { partOf } from "#lib/zendesk/held-keys.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { isDeadlock } from "#lib/zendesk/reading.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import {
  buriedKeys,
  changeReason,
  type KeptRow,
  lockHeldRows,
  readHeldText,
  releaseRows,
  setRowAside,
} from "#lib/zendesk/store/held-rows.ts";
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
 * one row with that key, where named; one that was set aside only where it is named. What is gone for good meanwhile is let go
 * and never stored (rows 26, 30). A run may go on meanwhile. Gives how many of them were released and are held still.
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
  const keys = rows.map((row) => row.key);
  const buried = await buriedKeys(trx, scope, name, keys);
  await releaseRows(trx, scope, name, [...buried]);
  const tried = rows.filter((row) => !buried.has(row.key));
  let released = 0;
  // One text at a time: each may be as long as a page.
  for (const row of tried) if (await retry(trx, scope, name, row, now)) released++;
  if (released > 0 || buried.size > 0) await weighHeldRows(trx, scope, name, now);
  const last = rows.length === which.limit ? (keys.at(-1) ?? null) : null;
  return { released, held: tried.length - released, last };
}

async function retry(trx: Trx, scope: Scope, name: StreamName, held: KeptRow, now: Date): Promise<boolean> {
  const wire = wireOf(await readHeldText(trx, scope, name, held.key));
  if (!wire) {
    if (!held.reason.startsWith(notWhole))
      await changeReason(trx, scope, name, held.key, `${notWhole} (${held.reason})`);
    return false;
  }
  const stream = streamNamed(name);
  const page = {
    part: partOf(held.key, name),
    rows: [wire],
    text: "",
    at: null,
    end: true,
    // It came then: what was fetched since and bears the same version holds (row 19).
    fetchedAt: held.lastHeldAt,
    requestedAt: now,
    // What lay in the future then need not do so any more.
    latest: now,
    stamp: null,
  };
  const stored = await storeRows(trx, stream, scope, makeRows(stream, page), now);
  if (stream.touchesTimeline) await refreshTimeline(trx, scope, stored.ids, now);
  const [still] = stored.held;
  if (still) {
    await changeReason(trx, scope, name, held.key, still.reason);
    return false;
  }
  await releaseRows(trx, scope, name, [held.key]);
  return true;
}

/** Earlier versions cut texts of more than a million characters. */
const notWhole = "what was kept of it is not whole, so it is stored only when Zendesk shows it again";

/**
 * Sets one held row aside, or takes that back: listed, and no doubt about its stream any more, until it comes again with other
 * bytes. For what never will be corrected, and for what has no id by which it could be known again. False: it is not held.
 */
export async function setHeldRowAside(
  trx: Trx,
  scope: Scope,
  row: { stream: StreamName; key: string },
  word: { by: string; at: Date } | null,
  now: Date,
): Promise<boolean> {
  const isHeld = await setRowAside(trx, scope, row.stream, row.key, word);
  if (isHeld) await weighHeldRows(trx, scope, row.stream, now);
  return isHeld;
}

function wireOf(text: string | null): Wire | null {
  try {
    const wire = parseJson(text ?? "");
    return isObject(wire) ? wire : null;
  } catch {
    return null;
  }
}
