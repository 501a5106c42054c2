import type { z } from "zod";
import type { Db, Trx } from "#db/client.ts";
import { ownNumber } from "#lib/api/shapes.ts";
import {
  findTarget,
  holdSources,
  knownSources,
  linkedSources,
  otherTakers,
} from "#lib/destinations/store/destinations.ts";
import { AppError, type ErrorDetail, notFound } from "#lib/errors.ts";
import type { Source, sourcesQuery } from "#lib/sources/shapes.ts";

/** The destination that would take the events; `id` is null while it is not made. */
interface Taker {
  id: number | null;
  /** Null: no Zendesk is chosen yet. */
  connectionId: number | null;
}

/**
 * Which sources a destination may take events of (C-3): those of the workspace that are on, and that no other destination
 * writes to the same Zendesk, where they would be written twice. What is linked already stays. Held, so that two destinations
 * that ask at once take turns. Throws `invalid` naming every other one.
 */
export async function requireEligible(
  trx: Trx,
  workspaceId: number,
  taker: Taker,
  ids: readonly string[],
): Promise<number[]> {
  const numbers = ids.map(ownNumber);
  const given = numbers.filter((number) => number !== null);
  await holdSources(trx, workspaceId, given);
  const known = await knownSources(trx, workspaceId, given);
  const refused = await whyNot(trx, workspaceId, taker, known);
  const details = numbers.flatMap((number, index): ErrorDetail[] => {
    const path = `sourceIds.${index}`;
    const source = number === null ? undefined : known.get(number);
    if (number === null || !source) return [{ path, message: "names no source of this workspace" }];
    const reason = refused.get(number);
    return reason === undefined ? [] : [{ path, message: `“${source.name}” ${reason}` }];
  });
  if (details.length === 0) return given;
  throw new AppError("invalid", details.map(({ path, message }) => `${path} ${message}`).join("; "), { details });
}

/** By the same rule: the sources, each with why the destination that the query names cannot take it. Throws `not_found`. */
export async function withEligibility(
  db: Db,
  workspaceId: number,
  query: Pick<z.output<typeof sourcesQuery>, "connectionId" | "destinationId">,
  sources: readonly Source[],
): Promise<(Source & { ineligible: string | null })[]> {
  const taker = { id: numberIn(query.destinationId), connectionId: numberIn(query.connectionId) };
  if (taker.connectionId !== null && !(await findTarget(db, workspaceId, taker.connectionId)))
    throw notFound("The connection");
  const named = new Map(sources.map(({ id, name, enabled }) => [Number(id), { name, enabled }]));
  const refused = await whyNot(db, workspaceId, taker, named);
  return sources.map((source) => {
    const reason = refused.get(Number(source.id));
    return { ...source, ineligible: reason === undefined ? null : `It ${reason}.` };
  });
}

/** By source, what follows on its name; nothing for those that can be taken. */
async function whyNot(
  db: Db,
  workspaceId: number,
  { id, connectionId }: Taker,
  sources: ReadonlyMap<number, { name: string; enabled: boolean }>,
): Promise<Map<number, string>> {
  const linked = id === null ? [] : await linkedSources(db, workspaceId, id);
  const open = [...sources].filter(([sourceId]) => !linked.includes(sourceId));
  const ids = open.map(([sourceId]) => sourceId);
  const others =
    connectionId === null ? new Map<number, string>() : await otherTakers(db, workspaceId, connectionId, ids);
  return new Map(
    open.flatMap(([sourceId, { enabled }]): [number, string][] => {
      const other = others.get(sourceId);
      if (other !== undefined) return [[sourceId, writtenAlready(other)]];
      return enabled ? [] : [[sourceId, "is switched off: switch it on first"]];
    }),
  );
}

const writtenAlready = (destination: string) =>
  `is written to this Zendesk through “${destination}” already: its events would be written twice. Take it from there first`;

function numberIn(id: string | undefined): number | null {
  if (id === undefined) return null;
  const number = ownNumber(id);
  if (number === null) throw notFound("What the query names");
  return number;
}
