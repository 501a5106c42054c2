import type { z } from "zod";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import { ownNumber } from "#lib/api/shapes.ts";
import type { Context } from "#lib/context.ts";
import { requireEligible } from "#lib/destinations/eligible-sources.ts";
import { grantWriting, presentDestination, settingColumns } from "#lib/destinations/present.ts";
import { settingsOf } from "#lib/destinations/profiles.ts";
import { routeLast, routeWaiting } from "#lib/destinations/route-events.ts";
import { changeDefaultActions, insertDefaultActions } from "#lib/destinations/set-actions.ts";
import type { Destination, destinationBody, destinationPatch, Profile } from "#lib/destinations/shapes.ts";
import {
  findDestination,
  findDestinations,
  holdTarget,
  insertDestination,
  lockDestination,
  readDestinationParts,
  replaceSources,
  type StoredDestination,
  updateDestination,
} from "#lib/destinations/store/destinations.ts";
import { settingsIn } from "#lib/destinations/store/parts.ts";
import { lockRouting } from "#lib/destinations/store/routing.ts";
import { AppError, notFound } from "#lib/errors.ts";

const dayMs = 86_400_000;

/** Destinations in the order in which they were made. */
export async function listDestinations(
  db: Db,
  workspaceId: number,
  page: { limit: number; cursor?: string | undefined },
  now: Date,
): Promise<List<Destination>> {
  const [afterId] = positionFrom(page.cursor, ["number"]) ?? [0];
  const found = await findDestinations(db, workspaceId, { limit: page.limit + 1, afterId });
  const present = await presenter(db, workspaceId, found.slice(0, page.limit), now);
  return pageOf(found, page.limit, present, (row) => [row.id]);
}

/** One destination. Throws `not_found`. */
export async function getDestination(db: Db, workspaceId: number, id: string, now: Date): Promise<Destination> {
  const row = await requireDestination(db, workspaceId, id);
  return (await presenter(db, workspaceId, [row], now))(row);
}

/** The stored row of a destination that was not deleted. Throws `not_found`. */
export async function requireDestination(db: Db, workspaceId: number, id: string): Promise<StoredDestination> {
  const number = ownNumber(id);
  const row = number === null ? undefined : await findDestination(db, workspaceId, number);
  if (!row) throw notFound("The destination");
  return row;
}

/** The same, kept from other changes until the transaction ends. */
export async function holdDestination(trx: Trx, workspaceId: number, id: string): Promise<StoredDestination> {
  const number = ownNumber(id);
  const row = number === null ? undefined : await lockDestination(trx, workspaceId, number);
  if (!row) throw notFound("The destination");
  return row;
}

/** The same with the events that came before routed as it stood, and none stored until the transaction ends. */
export async function holdRouted(
  ctx: Context,
  trx: Trx,
  workspaceId: number,
  id: string,
  now: Date,
): Promise<StoredDestination> {
  await lockRouting(trx, workspaceId);
  const row = await holdDestination(trx, workspaceId, id);
  await routeLast(ctx, trx, workspaceId, now);
  return row;
}

/**
 * Makes a destination, with the actions and settings of its profile. Throws `not_found` for a connection that the workspace
 * has not, `conflict` for one that may not be written to, `invalid` for sources that are not eligible.
 */
export async function createDestination(
  trx: Trx,
  workspaceId: number,
  body: z.output<typeof destinationBody>,
  by: string,
  now: Date,
): Promise<Destination> {
  const connectionId = ownNumber(body.connectionId);
  const connection = connectionId === null ? undefined : await holdTarget(trx, workspaceId, connectionId);
  if (!connection) throw notFound("The connection");
  if (connection.access !== "read_write") {
    const byProgram = `A program sends the login with access read_write: PATCH /api/v1/connections/${connection.id}.`;
    throw new AppError("conflict", `“${connection.name}” may only be read. ${grantWriting} ${byProgram}`);
  }
  const sourceIds = await requireEligible(trx, workspaceId, { id: null, connectionId: connection.id }, body.sourceIds);
  const id = await insertDestination(trx, {
    workspace_id: workspaceId,
    connection_id: connection.id,
    name: body.name ?? connection.name,
    profile: body.profile,
    enabled: body.enabled,
    stopped_at: null,
    stopped_by: null,
    tested_at: null,
    deleted_at: null,
    write_back_version: null,
    ...settingColumns(settingsOf(body.profile, body.settings)),
    created_by: by,
    created_at: now,
    updated_at: now,
  });
  await replaceSources(trx, workspaceId, id, sourceIds);
  await insertDefaultActions(trx, workspaceId, id, body.profile, by, now);
  return getDestination(trx, workspaceId, String(id), now);
}

/**
 * Changes a destination; events that came before are routed as it stood. A `profile` sets its presets anew, and the actions
 * that nobody changed; then `settings` are applied.
 */
export async function changeDestination(
  ctx: Context,
  workspaceId: number,
  id: string,
  patch: z.output<typeof destinationPatch>,
  by: string,
  now: Date,
): Promise<Destination> {
  const { name, enabled, profile, settings, sourceIds } = patch;
  const isAboutEvents = enabled !== undefined || sourceIds !== undefined;
  if (isAboutEvents) await routeWaiting(ctx, workspaceId, now);
  return inWorkspace(ctx.db, workspaceId, async (trx) => {
    const row = await (isAboutEvents
      ? holdRouted(ctx, trx, workspaceId, id, now)
      : holdDestination(trx, workspaceId, id));
    const base = profile === undefined ? settingsIn(row) : settingsOf(profile);
    await updateDestination(trx, workspaceId, row.id, {
      ...(name === undefined ? {} : { name }),
      ...(enabled === undefined ? {} : { enabled }),
      ...(profile === undefined ? {} : { profile }),
      ...settingColumns({ ...base, ...settings }),
      updated_at: now,
    });
    if (profile !== undefined && profile !== row.profile) {
      const change = { from: row.profile as Profile, to: profile };
      await changeDefaultActions(trx, workspaceId, row.id, change, by, now);
    }
    if (sourceIds !== undefined) {
      const taker = { id: row.id, connectionId: row.connection_id };
      await replaceSources(trx, workspaceId, row.id, await requireEligible(trx, workspaceId, taker, sourceIds));
    }
    return getDestination(trx, workspaceId, id, now);
  });
}

async function presenter(db: Db, workspaceId: number, rows: readonly StoredDestination[], now: Date) {
  const parts = await readDestinationParts(db, workspaceId, rows, new Date(now.getTime() - dayMs));
  return (row: StoredDestination): Destination => {
    const own = parts.get(row.id);
    if (!own) throw new Error("The parts of a destination were not read.");
    return presentDestination(row, own);
  };
}
