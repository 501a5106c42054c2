import type { z } from "zod";
import { inWorkspace, type Trx } from "#db/client.ts";
import { isWholeId } from "#lib/api/shapes.ts";
import { hurried, inTime, reachWords } from "#lib/connections/hurried.ts";
import { loadConnection, type StoredConnection } from "#lib/connections/load.ts";
import { AskedZendesk } from "#lib/destinations/asked-zendesk.ts";
import type { AffectedTicket, Attempt, Command } from "#lib/destinations/attempt.ts";
import { eventBody, idAtSending, planCommands } from "#lib/destinations/commands.ts";
import { attemptedEvent, writtenBefore } from "#lib/destinations/deliver.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { opened, withoutSecrets } from "#lib/destinations/exchange-text.ts";
import { actionsBeside, eventMeant } from "#lib/destinations/preview.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { mappedAnew } from "#lib/destinations/replay.ts";
import { notesOf } from "#lib/destinations/route-events.ts";
import { judgedSample } from "#lib/destinations/samples.ts";
import { type DeliveryContext, openSession, type Session } from "#lib/destinations/session.ts";
import type { actionBody, CommandKind, dryRun, dryRunBody, Settings } from "#lib/destinations/shapes.ts";
import { replayableStates } from "#lib/destinations/store/decisions.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import type { StoredDestination } from "#lib/destinations/store/destinations.ts";
import { readExchanges } from "#lib/destinations/store/exchanges.ts";
import { findListed } from "#lib/destinations/store/log.ts";
import { isOvertaken, readStoredEvent, settingsIn } from "#lib/destinations/store/parts.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";
import { endingOf, endingOfError } from "#lib/destinations/verdicts.ts";
import { AppError, notFound } from "#lib/errors.ts";

type DryRun = z.input<typeof dryRun>;
type Item = DryRun["items"][number];

/** A command as it stands, or as an event would make it, with all that its procedure is given. */
interface Supposed {
  action: CommandKind;
  messageId: string | null;
  /** What was left out, and why, before Zendesk is asked. */
  notes: string[];
  refusal: { reason: string; fix: string } | null;
  /** A write of it may have happened. */
  isUnknown: boolean;
  attempt: Pick<Attempt, "delivery" | "command" | "event" | "earlier" | "isOvertaken">;
}

/** `unanswered`: what kept Zendesk from answering; null where it did, whatever that tells. */
interface Told {
  item: Item;
  unanswered: string | null;
}

/** So many commands are looked at together. */
const together = 4;
/** A person waits for the answer. Milliseconds. */
const patience = 20_000;

/**
 * Tells what would be created, changed and removed for an event, or by a replay of deliveries. Zendesk is asked, and nothing
 * is written, there or here. Each command is looked at by itself, as if those before it had not been done; of one that cannot
 * be told that is said. Throws `not_found`, `invalid` for a sample that no door would take, `conflict` for a connection that
 * is not open, `upstream` where Zendesk does not answer about any of them, or not about all of them within `patienceMs`.
 */
export async function dryRunDestination(
  ctx: DeliveryContext,
  workspaceId: number,
  id: string,
  body: z.output<typeof dryRunBody>,
  clock: () => Date,
  patienceMs = patience,
): Promise<DryRun> {
  const over = AbortSignal.timeout(patienceMs);
  const { commands, settings, connection } = await inWorkspace(ctx.db, workspaceId, async (trx) => {
    const row = await requireDestination(trx, workspaceId, id);
    const connection = await requireOpen(trx, workspaceId, row.connection_id);
    const settings = settingsIn(row);
    const now = clock();
    const commands = body.deliveryIds
      ? await ofDeliveries(trx, row, body.deliveryIds)
      : ofEvent(
          await actionsBeside(trx, workspaceId, row.id, body.actions ?? []),
          body.event === undefined
            ? await eventMeant(trx, workspaceId, body, now)
            : eventBody({ ...judgedSample(body.event, now, () => idAtSending), occurredAt: now }),
          settings,
          now,
        );
    return { commands, settings, connection };
  });
  const client = { ...hurried, signal: over };
  const session = openSession(ctx, connection, { holder: "", procedures, clock, isEnding: () => false, client });
  const told: Told[] = [];
  try {
    for (let from = 0; from < commands.length; from += together) {
      const some = commands.slice(from, from + together);
      const ask = () => Promise.all(some.map((command) => suppose(session, command, settings)));
      told.push(...(await inTime({ over }, ask)));
    }
    const [first] = told;
    if (first?.unanswered && told.every(({ unanswered }) => unanswered !== null))
      throw new AppError(
        "upstream",
        `Zendesk does not tell now. ${first.unanswered} Ask again later; if it lasts, look at status.zendesk.com.`,
      );
    const items = told.map(({ item }) => item);
    return withoutSecrets({ counts: countsOf(items), items });
  } catch (error) {
    if (error !== over.reason) throw error;
    throw new AppError("upstream", tooLong(told, commands, patienceMs));
  } finally {
    await session.client.close();
  }
}

function tooLong(told: readonly Told[], { length }: readonly Supposed[], patienceMs: number): string {
  const within = `within ${patienceMs / 1000} seconds`;
  return told.some(({ unanswered }) => unanswered === null)
    ? `Zendesk told of ${told.length} of ${length} deliveries ${within}: ask about fewer.`
    : `Zendesk does not answer ${within}; nothing was written. ${reachWords} Then ask again.`;
}

async function requireOpen(trx: Trx, workspaceId: number, connectionId: number): Promise<StoredConnection> {
  const connection = await loadConnection(trx, { workspaceId, connectionId });
  if (connection && ["active", "failing", "paused"].includes(connection.state)) return connection;
  throw new AppError("conflict", "The connection of this destination is not open: Zendesk cannot be asked.");
}

function ofEvent(
  actions: readonly z.output<typeof actionBody>[],
  payload: Readonly<Record<string, unknown>>,
  settings: Settings,
  now: Date,
): Supposed[] {
  const messageId = typeof payload.messageId === "string" ? payload.messageId : null;
  const event = { id: "0", type: String(payload.type), occurredAt: now, payload: { ...payload } };
  return planCommands(actions, payload, settings, new TemplateTime()).map(
    ({ planned: { action, command, problems, refusal } }) => ({
      action,
      messageId,
      notes: notesOf(problems),
      refusal,
      isUnknown: false,
      attempt: {
        delivery: {
          ...{ id: "0", action, messageId, commandKey: `dry-run.${action}`, createdAt: now },
          ...{ approvedFor: [], affected: null },
        },
        command,
        event,
        earlier: [],
        isOvertaken: false,
      },
    }),
  );
}

async function ofDeliveries(trx: Trx, destination: StoredDestination, ids: readonly string[]): Promise<Supposed[]> {
  const wanted = [...new Set(ids)].filter(isWholeId);
  const rows = wanted.length === 0 ? [] : await findListed(trx, destination.workspace_id, wanted);
  if (rows.length < new Set(ids).size || rows.some((row) => row.destination_id !== destination.id))
    throw notFound("One of the deliveries");
  return Promise.all(rows.map((row) => ofDelivery(trx, row, destination)));
}

/** What can be replayed is looked at as its replay would do it, mapped anew; the others as they stand. */
async function ofDelivery(trx: Trx, stored: StoredDelivery, destination: StoredDestination): Promise<Supposed> {
  const isReplayed = (replayableStates as readonly string[]).includes(stored.state);
  const { failed = null, ...anew } = isReplayed ? await mappedAnew(trx, stored, destination) : {};
  const row = { ...stored, ...anew, ...(isReplayed && { approved_for: [], affected: null }) };
  const event = row.event_id === null ? null : await readStoredEvent(trx, row.workspace_id, row.event_id);
  const earlier = await readExchanges(trx, row.workspace_id, row.id);
  const action = row.action as CommandKind;
  const messageId = row.message_id;
  const command = JSON.parse(row.command) as Command;
  const named = { ...row, destinationId: row.destination_id };
  return {
    action,
    messageId,
    notes: row.notes,
    refusal: failed,
    isUnknown: row.state === "unknown",
    attempt: {
      delivery: {
        ...{ id: row.id, action, messageId, commandKey: row.command_key },
        createdAt: row.created_at,
        approvedFor: row.approved_for,
        affected: row.affected === null ? null : (JSON.parse(row.affected) as AffectedTicket[]),
      },
      command,
      event: event && attemptedEvent(event),
      earlier: earlier.map(({ request, ...exchange }) => ({ ...exchange, request: opened(request) })),
      isOvertaken: await isOvertaken(trx, row.workspace_id, named, command, settingsIn(destination)),
    },
  };
}

async function suppose(session: Session, supposed: Supposed, settings: Settings): Promise<Told> {
  const { action, messageId, notes, refusal, isUnknown, attempt } = supposed;
  const item = { action, messageId, reason: null, fix: null, notes, intents: [] };
  if (refusal)
    return { item: { ...item, state: "failed", reason: refusal.reason, fix: refusal.fix }, unanswered: null };
  const { ctx, scope, clock } = session;
  const zendesk = new AskedZendesk(session);
  const written = writtenBefore(session);
  const given = { ...attempt, settings, zendesk, written, db: ctx.db, scope, clock, isDryRun: true };
  const facts = () => ({
    ...{ isUnknown, brokeOffWriting: false, isOpen: false, hasWritten: zendesk.intents.length > 0 },
    ...{ retries: 0, doubts: { looks: 0, losses: 0 }, now: clock() },
  });
  const { ending, isAnswered } = await procedures[action](given).then(
    (verdict) => ({ ending: endingOf(verdict, facts()), isAnswered: true }),
    (error: unknown) => {
      const judged = endingOfError(error, facts());
      // A fault of ours is the API's to tell.
      if (judged.code === "internal") throw error;
      return { ending: judged, isAnswered: false };
    },
  );
  const { state, reason, fix } = ending;
  const told = { ...item, reason, fix, notes: [...new Set([...notes, ...ending.notes])] };
  if (state !== "queued" && state !== "unknown")
    return { item: { ...told, state, intents: zendesk.intents }, unanswered: null };
  const words = reason ?? "Zendesk does not tell now.";
  return {
    item: { ...told, state: "unknown", reason: `Cannot be told: ${words}`, fix: isAnswered ? fix : "Ask again later." },
    unanswered: isAnswered ? null : words,
  };
}

function countsOf(items: readonly Item[]): DryRun["counts"] {
  const verbs = items.flatMap(({ intents }) => intents.map(({ verb }) => verb));
  const idle = items.filter(({ state, intents }) => state === "done" && intents.every(({ verb }) => verb === "none"));
  const of = (verb: "create" | "change" | "remove") => verbs.filter((one) => one === verb).length;
  return {
    ...{ create: of("create"), change: of("change"), remove: of("remove"), none: idle.length },
    failed: items.filter(({ state }) => state === "failed").length,
    held: items.filter(({ state }) => state === "held").length,
    unknown: items.filter(({ state }) => state === "unknown").length,
  };
}
