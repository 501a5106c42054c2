import type { z } from "zod";
import { inWorkspace, type Trx } from "#db/client.ts";
import { isWholeId } from "#lib/api/shapes.ts";
import { loadConnection, type StoredConnection } from "#lib/connections/load.ts";
import { AskedZendesk } from "#lib/destinations/asked-zendesk.ts";
import type { Attempt, Command } from "#lib/destinations/attempt.ts";
import { planCommands, sampleBody } from "#lib/destinations/commands.ts";
import { attemptedEvent, writtenBefore } from "#lib/destinations/deliver.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { opened } from "#lib/destinations/exchange-text.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { type DeliveryContext, openSession, type Session } from "#lib/destinations/session.ts";
import { readActions } from "#lib/destinations/set-actions.ts";
import type { CommandKind, dryRun, dryRunBody, Settings } from "#lib/destinations/shapes.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
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
  refusal: { reason: string; fix: string } | null;
  attempt: Pick<Attempt, "delivery" | "command" | "event" | "earlier" | "isOvertaken">;
}

/** So many commands are looked at together. */
const together = 4;
const patienceMs = 50_000;

/**
 * Tells what would be created, changed and removed for an event, or for deliveries as they stand. Zendesk is asked, and nothing
 * is written, there or here. Each command is looked at by itself, as if those before it had not been done. Throws
 * `not_found`, `conflict` for a connection that is not open, `upstream` where Zendesk does not answer.
 */
export async function dryRunDestination(
  ctx: DeliveryContext,
  workspaceId: number,
  id: string,
  body: z.output<typeof dryRunBody>,
  clock: () => Date,
): Promise<DryRun> {
  const { commands, settings, connection } = await inWorkspace(ctx.db, workspaceId, async (trx) => {
    const row = await requireDestination(trx, workspaceId, id);
    const connection = await requireOpen(trx, workspaceId, row.connection_id);
    const settings = settingsIn(row);
    const commands = body.event
      ? ofEvent(await readActions(trx, workspaceId, row.id), sampleBody(body.event, clock()), settings, clock())
      : await ofDeliveries(trx, workspaceId, row.id, body.deliveryIds ?? []);
    return { commands, settings, connection };
  });
  const session = openSession(ctx, connection, { holder: "", procedures, clock, isEnding: () => false });
  const end = clock().getTime() + patienceMs;
  try {
    const items: Item[] = [];
    for (let from = 0; from < commands.length; from += together) {
      if (clock().getTime() > end)
        throw new AppError("upstream", "Zendesk takes too long: ask about fewer deliveries.");
      const some = commands.slice(from, from + together);
      items.push(...(await Promise.all(some.map((command) => suppose(session, command, settings)))));
    }
    return { counts: countsOf(items), items };
  } finally {
    await session.client.close();
  }
}

async function requireOpen(trx: Trx, workspaceId: number, connectionId: number): Promise<StoredConnection> {
  const connection = await loadConnection(trx, { workspaceId, connectionId });
  if (connection && ["active", "failing", "paused"].includes(connection.state)) return connection;
  throw new AppError("conflict", "The connection of this destination is not open: Zendesk cannot be asked.");
}

function ofEvent(
  actions: Awaited<ReturnType<typeof readActions>>,
  payload: Readonly<Record<string, unknown>>,
  settings: Settings,
  now: Date,
): Supposed[] {
  const messageId = typeof payload.messageId === "string" ? payload.messageId : null;
  const event = { id: "0", type: String(payload.type), occurredAt: now, payload: { ...payload } };
  return planCommands(actions, payload, settings, new TemplateTime()).map(
    ({ planned: { action, command, refusal } }) => ({
      action,
      messageId,
      refusal,
      attempt: {
        delivery: { id: "0", action, messageId, commandKey: `dry-run.${action}`, createdAt: now, approvedFor: [] },
        command,
        event,
        earlier: [],
        isOvertaken: false,
      },
    }),
  );
}

async function ofDeliveries(
  trx: Trx,
  workspaceId: number,
  destinationId: number,
  ids: readonly string[],
): Promise<Supposed[]> {
  const wanted = [...new Set(ids)].filter(isWholeId);
  const rows = wanted.length === 0 ? [] : await findListed(trx, workspaceId, wanted);
  if (rows.length < new Set(ids).size || rows.some((row) => row.destination_id !== destinationId))
    throw notFound("One of the deliveries");
  return Promise.all(rows.map((row) => ofDelivery(trx, row)));
}

async function ofDelivery(trx: Trx, row: StoredDelivery): Promise<Supposed> {
  const event = row.event_id === null ? null : await readStoredEvent(trx, row.workspace_id, row.event_id);
  const earlier = await readExchanges(trx, row.workspace_id, row.id);
  const action = row.action as CommandKind;
  const messageId = row.message_id;
  return {
    action,
    messageId,
    refusal: null,
    attempt: {
      delivery: {
        ...{ id: row.id, action, messageId, commandKey: row.command_key },
        createdAt: row.created_at,
        approvedFor: row.approved_for,
      },
      command: JSON.parse(row.command) as Command,
      event: event && attemptedEvent(event),
      earlier: earlier.map(({ request, ...exchange }) => ({ ...exchange, request: opened(request) })),
      isOvertaken: await isOvertaken(trx, row.workspace_id, { ...row, destinationId: row.destination_id }),
    },
  };
}

async function suppose(session: Session, supposed: Supposed, settings: Settings): Promise<Item> {
  const { action, messageId, refusal, attempt } = supposed;
  const item = { action, messageId, reason: null, fix: null, intents: [] };
  if (refusal) return { ...item, state: "failed", reason: refusal.reason, fix: refusal.fix };
  const { ctx, scope, clock } = session;
  const zendesk = new AskedZendesk(session);
  const written = writtenBefore(session);
  const given = { ...attempt, settings, zendesk, written, db: ctx.db, scope, clock, isDryRun: true };
  const facts = {
    isUnknown: false,
    brokeOffWriting: false,
    isOpen: false,
    hasWritten: false,
    retries: 0,
    now: clock(),
  };
  const ending = await procedures[action](given).then(
    (verdict) => endingOf(verdict, facts),
    (error: unknown) => {
      const judged = endingOfError(error, facts);
      // A fault of ours is the API's to tell.
      if (judged.code === "internal") throw error;
      return judged;
    },
  );
  const { state, reason, fix } = ending;
  if (state === "queued" || state === "unknown")
    throw new AppError("upstream", `Zendesk does not tell now. ${reason ?? ""}`.trim());
  return { ...item, state, reason, fix, intents: zendesk.intents };
}

function countsOf(items: readonly Item[]): DryRun["counts"] {
  const verbs = items.flatMap(({ intents }) => intents.map(({ verb }) => verb));
  const idle = items.filter(({ state, intents }) => state === "done" && intents.every(({ verb }) => verb === "none"));
  const of = (verb: "create" | "change" | "remove") => verbs.filter((one) => one === verb).length;
  return {
    ...{ create: of("create"), change: of("change"), remove: of("remove"), none: idle.length },
    failed: items.filter(({ state }) => state === "failed").length,
    held: items.filter(({ state }) => state === "held").length,
  };
}
