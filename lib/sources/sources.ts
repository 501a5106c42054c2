import type { z } from "zod";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { Context } from "#lib/context.ts";
import { notFound } from "#lib/errors.ts";
import type { rotateBody, Source, sourceCreated, sourcePatch } from "#lib/sources/shapes.ts";
import { endWriteKeys, insertWriteKey } from "#lib/sources/store/keys.ts";
import {
  existingSources,
  insertSource,
  type SourceRow,
  selectSources,
  updateSource,
} from "#lib/sources/store/sources.ts";
import { newWriteKey, processKeyRing } from "#lib/sources/write-keys.ts";

type Created = z.infer<typeof sourceCreated>;

const dayMs = 86_400_000;

/** Newest first. */
export async function listSources(
  db: Db,
  workspaceId: number,
  query: { limit: number; cursor?: string | undefined },
  now: Date,
): Promise<List<Source>> {
  const [after] = positionFrom(query.cursor, ["number"]) ?? [null];
  const rows = await selectSources(db, workspaceId, { after, limit: query.limit + 1 }, timesOf(now));
  return pageOf(rows, query.limit, shown, (row) => [row.id]);
}

/** Throws `not_found`, for one that was removed too. */
export async function getSource(db: Db, workspaceId: number, sourceId: string, now: Date): Promise<Source> {
  const [row] = await selectSources(db, workspaceId, { id: sourceId, limit: 1 }, timesOf(now));
  if (!row) throw notFound("The source");
  return shown(row);
}

/** `writeKey` in the answer is the only time that its value is told. */
export async function createSource(
  trx: Trx,
  workspaceId: number,
  { name, createdBy }: { name: string; createdBy: string | null },
  now: Date,
): Promise<Created> {
  const sourceId = await insertSource(trx, workspaceId, { name, createdBy }, now);
  const { writeKey, ...key } = newWriteKey();
  await insertWriteKey(trx, workspaceId, { sourceId, ...key }, now);
  return { ...(await getSource(trx, workspaceId, String(sourceId), now)), writeKey };
}

/** A source that is switched off takes no more events when this returns; other processes know within seconds. */
export function changeSource(
  ctx: Context,
  workspaceId: number,
  sourceId: string,
  patch: z.output<typeof sourcePatch>,
  now: Date,
): Promise<Source> {
  return changingKeys(ctx, workspaceId, async (trx) => {
    const { name, enabled } = patch;
    const columns = { ...(name !== undefined && { name }), ...(enabled !== undefined && { enabled }) };
    if (!(await updateSource(trx, workspaceId, sourceId, columns, now))) throw notFound("The source");
    return getSource(trx, workspaceId, sourceId, now);
  });
}

/**
 * Its keys are refused from now on and no destination takes what comes; the events that came stay, and go where they were to go
 * whenever they are routed: for that its destinations keep it, unseen, as long as it has any.
 */
export function removeSource(ctx: Context, workspaceId: number, sourceId: string, now: Date): Promise<void> {
  return changingKeys(ctx, workspaceId, async (trx) => {
    if (!(await updateSource(trx, workspaceId, sourceId, { deleted_at: now }, now))) throw notFound("The source");
    await endWriteKeys(trx, workspaceId, Number(sourceId), { now, at: now });
  });
}

/** A new key; those before it work for `keepMinutes` more. */
export function rotateWriteKey(
  ctx: Context,
  workspaceId: number,
  sourceId: string,
  { keepMinutes }: z.output<typeof rotateBody>,
  now: Date,
): Promise<Created> {
  return changingKeys(ctx, workspaceId, async (trx) => {
    if (!(await updateSource(trx, workspaceId, sourceId, {}, now))) throw notFound("The source");
    const at = new Date(now.getTime() + keepMinutes * 60_000);
    await endWriteKeys(trx, workspaceId, Number(sourceId), { now, at });
    const { writeKey, ...key } = newWriteKey();
    await insertWriteKey(trx, workspaceId, { sourceId: Number(sourceId), ...key }, now);
    return { ...(await getSource(trx, workspaceId, sourceId, now)), writeKey };
  });
}

/** Those of `ids` that no source of the workspace has. */
export async function unknownSources(db: Db, workspaceId: number, ids: readonly string[]): Promise<string[]> {
  const known = await existingSources(db, workspaceId, ids);
  return ids.filter((id) => !known.includes(id));
}

/** What this process remembers of keys is forgotten after the commit: before it, it would be read again as it was. */
async function changingKeys<T>(ctx: Context, workspaceId: number, change: (trx: Trx) => Promise<T>): Promise<T> {
  try {
    return await inWorkspace(ctx.db, workspaceId, change);
  } finally {
    processKeyRing(ctx).forget();
  }
}

const timesOf = (now: Date) => ({ now, dayAgo: new Date(now.getTime() - dayMs) });

function shown(row: SourceRow): Source {
  const iso = (at: string | null) => (at === null ? null : new Date(at).toISOString());
  return {
    id: String(row.id),
    name: row.name,
    enabled: row.enabled,
    keys: row.keys.map(({ createdAt, endsAt, lastUsedAt, ...key }) => ({
      ...key,
      createdAt: new Date(createdAt).toISOString(),
      endsAt: iso(endsAt),
      lastUsedAt: iso(lastUsedAt),
    })),
    eventsLastDay: Number(row.accepted),
    rejectedLastDay: Number(row.rejected),
    lastEventAt: row.last_event_at?.toISOString() ?? null,
    destinations: row.destinations,
    createdAt: row.created_at.toISOString(),
  };
}
