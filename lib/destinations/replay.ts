import type { z } from "zod";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { isWholeId } from "#lib/api/shapes.ts";
import type { Context } from "#lib/context.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import { differentAccount } from "#lib/destinations/barred.ts";
import { eventBody, planCommand } from "#lib/destinations/commands.ts";
import { couldCreateUser } from "#lib/destinations/create-on-approve.ts";
import { filterFrom } from "#lib/destinations/deliveries.ts";
import { mapped } from "#lib/destinations/route-events.ts";
import { readActions } from "#lib/destinations/set-actions.ts";
import { discarded, type replayBody } from "#lib/destinations/shapes.ts";
import { decide, lockDelivery, lockReplayable, replayableStates } from "#lib/destinations/store/decisions.ts";
import { accountsOf, type StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { destinationsByIds, type StoredDestination } from "#lib/destinations/store/destinations.ts";
import { countMatching, matchingIds } from "#lib/destinations/store/log.ts";
import { readStoredEvent, settingsIn } from "#lib/destinations/store/parts.ts";
import { mapInTurn, TemplateTime } from "#lib/destinations/template-time.ts";
import { AppError, notFound } from "#lib/errors.ts";

/** So many are taken up again in one transaction. */
const batch = 100;
/** Only by their ids or their code: what a person has decided never to do, and what was meant for another account (row 106). */
const replayable = { states: replayableStates, except: [discarded, differentAccount] };

type Filter = NonNullable<z.output<typeof replayBody>["filter"]>;

/** How many deliveries a replay of the filter would take up now: what a person is asked about before. */
export async function countReplayable(db: Db, workspaceId: number, given: Filter): Promise<{ deliveries: number }> {
  const filter = filterFrom(given);
  return { deliveries: filter ? await countMatching(db, workspaceId, filter, replayable) : 0 };
}

/**
 * Takes up again what failed, is unknown or is held: these deliveries, or all that a filter leaves; mapped anew by the actions
 * as they are set now; what a person has discarded, or was meant for another Zendesk account, only where that is asked for. Each
 * is looked for in Zendesk before anything is written, so that nothing is done twice. Those that are done or under way are not
 * touched. Throws `conflict` where a filter leaves more than the caller has seen (row 103): then nothing is replayed.
 */
export async function replayDeliveries(
  ctx: Pick<Context, "db">,
  workspaceId: number,
  { ids, filter, expected }: z.output<typeof replayBody>,
  now: Date,
): Promise<{ replayed: number; skipped: number }> {
  if (expected !== undefined) await requireSeen(ctx, workspaceId, filter ?? {}, expected);
  const total = { replayed: 0, skipped: 0 };
  for await (const some of ids ? inBatches([...new Set(ids)]) : ofFilter(ctx, workspaceId, filter ?? {}, expected)) {
    total.skipped += some.length;
    for (let left = some; left.length > 0; ) {
      const turn = await inWorkspace(ctx.db, workspaceId, (trx) => replaySome(trx, workspaceId, left, now));
      total.replayed += turn.replayed;
      total.skipped -= turn.replayed;
      left = turn.left;
    }
  }
  return ids ? { ...total, skipped: new Set(ids).size - total.replayed } : total;
}

async function requireSeen(
  ctx: Pick<Context, "db">,
  workspaceId: number,
  filter: Filter,
  expected: number,
): Promise<void> {
  const { deliveries } = await inWorkspace(ctx.db, workspaceId, (trx) => countReplayable(trx, workspaceId, filter));
  if (deliveries <= expected) return;
  throw new AppError(
    "conflict",
    `The filter leaves ${deliveries} deliveries now, more than the ${expected} that were expected. Nothing was replayed. Look at them, then ask with the new number.`,
    { details: [{ path: "expected", message: `is less than ${deliveries}` }] },
  );
}

async function* inBatches(ids: readonly string[]): AsyncGenerator<string[]> {
  for (let from = 0; from < ids.length; from += batch) yield ids.slice(from, from + batch).filter(isWholeId);
}

async function* ofFilter(
  ctx: Pick<Context, "db">,
  workspaceId: number,
  given: Filter,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<string[]> {
  const filter = filterFrom(given);
  let after = "0";
  for (let left = most; filter && left > 0; ) {
    const limit = Math.min(batch, left);
    const found = await inWorkspace(ctx.db, workspaceId, (trx) =>
      matchingIds(trx, workspaceId, filter, replayable, { after, limit }),
    );
    if (found.length === 0) return;
    yield found;
    after = found.at(-1) ?? after;
    left -= found.length;
  }
}

/** As many as there is time for while others wait for the lanes; `left`: those for which there was none. */
async function replaySome(
  trx: Trx,
  workspaceId: number,
  ids: readonly string[],
  now: Date,
): Promise<{ replayed: number; left: string[] }> {
  const rows = await lockReplayable(trx, workspaceId, ids, now);
  const destinations = await destinationsByIds(trx, workspaceId, [...new Set(rows.map((row) => row.destination_id))]);
  const accounts = await accountsOf(
    trx,
    workspaceId,
    rows.map((row) => row.connection_id),
  );
  let replayed = 0;
  const done = await mapInTurn(rows, async (row) => {
    const destination = destinations.get(row.destination_id);
    const account = accounts.get(row.connection_id);
    // What was deleted is written to no more.
    if (!destination || destination.deleted_at !== null || account === undefined) return;
    // Who replays what was said to be another account's says that it is the same; of anything else nobody has said so.
    const isTheSame = row.code === differentAccount && row.state !== "unknown";
    await replayOne(trx, row, destination, isTheSame ? account : row.zendesk_account, now);
    replayed++;
  });
  return { replayed, left: rows.slice(done).map(({ id }) => id) };
}

async function replayOne(
  trx: Trx,
  row: StoredDelivery,
  destination: StoredDestination,
  account: string | null,
  now: Date,
): Promise<void> {
  const { failed, ...columns } = await mappedAnew(trx, row, destination);
  const state = row.state === "unknown" ? "unknown" : failed ? "failed" : "queued";
  const words = failed ?? { code: null, reason: null, fix: null };
  const decided = { approved_by: null, approved_at: null, approved_for: [], affected: null, zendesk_account: account };
  await decide(
    trx,
    row.workspace_id,
    row.id,
    { ...decided, ...columns, ...words, state, due_at: failed ? null : now },
    now,
  );
}

type Anew = Partial<Pick<StoredDelivery, "command" | "lanes" | "notes" | "action_version">> & {
  failed?: { code: string; reason: string; fix: string };
};

/**
 * What a replay makes of a delivery: the command as the action would make it of the event now, or as it was where either is
 * not there any more. What may have happened stays what it is until it was looked up.
 */
export async function mappedAnew(trx: Trx, row: StoredDelivery, destination: StoredDestination): Promise<Anew> {
  if (row.state === "unknown") return {};
  const event = row.event_id === null ? null : await readStoredEvent(trx, row.workspace_id, row.event_id);
  const action = (await readActions(trx, row.workspace_id, destination.id)).find(({ key }) => key === row.action);
  if (!event || !action) return {};
  const { command, lanes, notes, failed } = mapped(
    planCommand(action, eventBody(event), settingsIn(destination), new TemplateTime()),
  );
  return {
    command: JSON.stringify(command),
    lanes: [...new Set(lanes)],
    notes: [...(notes ?? [])],
    action_version: action.version,
    ...(failed && { failed: { code: failed.code, reason: failed.reason, fix: failed.fix } }),
  };
}

/**
 * Lets what is held be done, on a person's word; or what failed for want of its user, whom it creates then (C-31). Once is
 * enough: a second word changes nothing. `seen`: the code for which it was held when they read it, where they tell. Throws
 * `conflict` for what is held for another one now.
 */
export async function approveDelivery(
  trx: Trx,
  workspaceId: number,
  id: string,
  by: string,
  now: Date,
  seen?: string | null | undefined,
): Promise<void> {
  const row = await lockForDecision(trx, workspaceId, id, seen, now);
  // A word that was on something else, and comes late or again, is none on a new user.
  const isAboutUser = seen === "user_not_found" || (seen === undefined && row.approved_at === null);
  const isOnUser = isAboutUser && couldCreateUser({ ...row, command: JSON.parse(row.command) as Command });
  if (row.state !== "held" && !isOnUser) {
    if (row.approved_at !== null && (!seen || row.approved_for.includes(seen))) return;
    const isOpenToReplay = (replayableStates as readonly string[]).includes(row.state);
    const instead = isOpenToReplay ? " You can replay it, or discard it." : "";
    const can = "only what is held can be approved, and what failed for want of a user whose e-mail it has";
    throw new AppError("conflict", `The delivery is ${row.state}: ${can}.${instead}`);
  }
  const words = { code: null, reason: null, fix: null };
  // Only what the person has read: it is held again for anything else.
  const approvedFor = [...row.approved_for, ...(row.code === null ? [] : [row.code])];
  const approved = { ...words, state: "queued", approved_by: by, approved_at: now, approved_for: approvedFor };
  await decide(trx, workspaceId, id, { ...approved, due_at: now }, now);
}

/**
 * Never does it: it is listed as failed, with who decided. What is being sent just now cannot be taken back. `seen`: as for
 * approving.
 */
export async function discardDelivery(
  trx: Trx,
  workspaceId: number,
  id: string,
  by: string,
  now: Date,
  seen?: string | null | undefined,
): Promise<void> {
  const row = await lockForDecision(trx, workspaceId, id, seen, now);
  if (row.state === "failed" && row.code === discarded) return;
  if (row.state === "done" || row.state === "sending" || row.claimed_until !== null) {
    const why = row.state === "done" ? "done already" : "being sent just now";
    throw new AppError("conflict", `The delivery is ${why}: it cannot be discarded.`);
  }
  const former = row.reason === null ? "" : ` Before: ${row.reason}`;
  const words = { code: discarded, reason: `${by} discarded it.${former}`, fix: "Replay takes it up again." };
  await decide(trx, workspaceId, id, { ...words, state: "failed", due_at: null }, now);
}

/** It may be held for something else than it was when the person read it: nobody has decided about that. */
async function lockForDecision(
  trx: Trx,
  workspaceId: number,
  id: string,
  seen: string | null | undefined,
  now: Date,
): Promise<StoredDelivery> {
  const row = await lockDelivery(trx, workspaceId, id, now);
  if (!row) throw notFound("The delivery");
  const { state, code, reason } = row;
  if (state !== "held" || seen === undefined || seen === code) return row;
  throw new AppError(
    "conflict",
    `The delivery is held for another reason now (${code}): ${reason} Read it, then decide.`,
  );
}
