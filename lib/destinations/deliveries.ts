import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { pageOf, positionFrom } from "#lib/api/cursor.ts";
import { type List, ownNumber } from "#lib/api/shapes.ts";
import type { Config } from "#lib/config.ts";
import type { AffectedTicket } from "#lib/destinations/attempt.ts";
import { opened, withoutSecrets } from "#lib/destinations/exchange-text.ts";
import { blockedBy } from "#lib/destinations/present.ts";
import {
  type CommandKind,
  type Delivery,
  type DeliveryDetail,
  type DeliveryState,
  type deliveriesQuery,
  mostCounted,
  type Reason,
  type reasonsQuery,
} from "#lib/destinations/shapes.ts";
import { type NewExchange, readExchanges } from "#lib/destinations/store/exchanges.ts";
import {
  countReasons,
  type DeliveryFilter,
  findListed,
  type ListedDelivery,
  listDeliveryRows,
} from "#lib/destinations/store/log.ts";
import { readStoredEvent } from "#lib/destinations/store/parts.ts";
import { lookedUpByItself, lookYourself } from "#lib/destinations/verdicts.ts";
import { notFound } from "#lib/errors.ts";
import type { eventType } from "#lib/sources/shapes.ts";
import { type AgentPageKind, agentPage } from "#lib/zendesk/agent-pages.ts";

type Query = z.output<typeof deliveriesQuery>;

/** Every write and what became of it, newest first. */
export async function listDeliveries(
  db: Db,
  config: Pick<Config, "zendesk">,
  workspaceId: number,
  { limit, cursor, ...query }: Query,
): Promise<List<Delivery>> {
  const [before] = positionFrom(cursor, ["id"]) ?? [null];
  const filter = filterFrom(query);
  const rows = filter ? await listDeliveryRows(db, workspaceId, filter, { limit: limit + 1, before }) : [];
  return pageOf(
    rows,
    limit,
    (row) => present(row, config),
    ({ id }) => [id],
  );
}

/** Why the deliveries of a filter stand as they do: each code with how many have it. */
export async function listReasons(
  db: Db,
  workspaceId: number,
  query: z.output<typeof reasonsQuery>,
): Promise<{ items: Reason[] }> {
  const filter = filterFrom(query);
  return { items: filter ? await countReasons(db, workspaceId, filter, mostCounted) : [] };
}

/** Null where the filter names a destination that cannot exist. */
export function filterFrom({
  destinationId,
  ...rest
}: Omit<DeliveryFilter, "destinationId"> & { destinationId?: string | undefined }): DeliveryFilter | null {
  if (destinationId === undefined) return rest;
  const number = ownNumber(destinationId);
  return number === null ? null : { ...rest, destinationId: number };
}

/** These deliveries as they stand, oldest first. */
export async function presentDeliveries(
  db: Db,
  config: Pick<Config, "zendesk">,
  workspaceId: number,
  ids: readonly string[],
): Promise<Delivery[]> {
  if (ids.length === 0) return [];
  return (await findListed(db, workspaceId, ids)).map((row) => present(row, config));
}

/** One delivery. Throws `not_found`. */
export async function getDelivery(
  db: Db,
  config: Pick<Config, "zendesk">,
  workspaceId: number,
  id: string,
): Promise<Delivery> {
  const [delivery] = await presentDeliveries(db, config, workspaceId, [id]);
  if (!delivery) throw notFound("The delivery");
  return delivery;
}

/** The same from its event to what was said to Zendesk, without any secret. Throws `not_found`. */
export async function getDeliveryDetail(
  db: Db,
  config: Pick<Config, "zendesk">,
  workspaceId: number,
  id: string,
): Promise<DeliveryDetail> {
  const [row] = await findListed(db, workspaceId, [id]);
  if (!row) throw notFound("The delivery");
  const event = row.event_id === null ? null : await readStoredEvent(db, workspaceId, row.event_id);
  const exchanges = await readExchanges(db, workspaceId, id);
  return withoutSecrets({
    ...present(row, config),
    event: event && {
      id: event.id,
      type: event.type as z.output<typeof eventType>,
      name: event.name,
      receivedAt: event.receivedAt.toISOString(),
      payload: opened(event.payload),
    },
    actionVersion: row.action_version,
    command: JSON.parse(row.command) as DeliveryDetail["command"],
    exchanges: exchanges.map(presentExchange),
    approved: row.approved_at && {
      by: row.approved_by,
      at: row.approved_at.toISOString(),
      codes: row.approved_for,
    },
    affectedTickets: row.affected === null ? null : affectedTicketsOf(row, row.affected, config.zendesk.urlTemplate),
  });
}

function affectedTicketsOf({ subdomain }: ListedDelivery, affected: string, zendeskUrl: string) {
  const tickets = JSON.parse(affected) as AffectedTicket[];
  return tickets.map((ticket) => ({
    ...ticket,
    url: subdomain === "" ? null : agentPage(zendeskUrl, subdomain, "tickets", ticket.id),
  }));
}

function present(row: ListedDelivery, { zendesk }: Pick<Config, "zendesk">): Delivery {
  const blocked = blockedNow(row);
  return {
    id: row.id,
    messageId: row.message_id,
    destination: { id: String(row.destination_id), name: row.destination_name },
    action: row.action as CommandKind,
    state: row.state as DeliveryState,
    attempts: row.attempts,
    code: row.code,
    reason: blocked?.reason ?? row.reason ?? waitsFor(row),
    fix: blocked?.fix ?? row.fix ?? fixOf(row),
    notes: row.notes,
    subject: subjectOf(row),
    result: resultOf(row, zendesk.urlTemplate),
    dueAt: row.due_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Why nothing is sent through its connection, whatever came of the last try: it changes by itself, and nobody writes it down. */
function blockedNow({ state, connection_name: name, connection_state, connection_access, ...row }: ListedDelivery) {
  if (state !== "queued" || name === null || connection_state === null) return null;
  const isHeldBack = row.stopped_at !== null || !(row.enabled || row.is_test);
  return isHeldBack ? null : blockedBy({ ...row, name, state: connection_state, access: connection_access ?? "read" });
}

/** Why a delivery that was not tried yet is not on its way: nobody has written it down, since it changes by itself. */
function waitsFor(row: ListedDelivery): string | null {
  if (row.state === "unknown") return "It was being sent when the process ended: Zendesk's answer was lost.";
  if (row.state !== "queued") return null;
  if (row.stopped_at !== null) return "The destination was stopped. It stays queued.";
  if (!row.enabled && !row.is_test) return "The destination is off. It stays queued.";
  return row.waits_for && `Delivery ${row.waits_for}, of the same user, organization or ticket, goes first.`;
}

/** What is unknown waits for its next look, and a person need not. */
function fixOf({ state, due_at }: ListedDelivery): string | null {
  if (state !== "unknown") return null;
  return due_at === null ? lookYourself : lookedUpByItself;
}

const named: readonly [prefix: string, words: (name: string) => string][] = [
  ["m:", (email) => email],
  ["t:", (id) => `ticket ${id}`],
  ["u:", (id) => `user ${id}`],
  ["z:", (id) => `Zendesk user ${id}`],
  ["o:", (id) => `organization ${id}`],
];

/** Whom it concerns, as a person would name it: a ticket not by the message that it would be created by. */
function subjectOf({ lanes, message_id, organization_name }: ListedDelivery): string {
  if (organization_name !== null) return organization_name;
  const told = lanes.filter((name) => name !== `t:${message_id}`);
  for (const [prefix, words] of named) {
    const lane = told.find((name) => name.startsWith(prefix));
    if (lane !== undefined) return words(lane.slice(prefix.length));
  }
  return "";
}

const pages: Record<string, AgentPageKind> = { user: "users", organization: "organizations", ticket: "tickets" };

function resultOf({ result_kind, result_id, subdomain }: ListedDelivery, zendeskUrl: string): Delivery["result"] {
  if (result_kind === null || result_id === null) return null;
  const page = pages[result_kind];
  const url = page && subdomain !== "" ? agentPage(zendeskUrl, subdomain, page, result_id) : null;
  return { kind: result_kind, id: result_id, url };
}

function presentExchange({ position: _, ...exchange }: NewExchange): DeliveryDetail["exchanges"][number] {
  return {
    ...exchange,
    request: opened(exchange.request),
    response: opened(exchange.response),
    sentAt: exchange.sentAt.toISOString(),
    endedAt: exchange.endedAt?.toISOString() ?? null,
  };
}
