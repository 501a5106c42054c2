import type { Oracle } from "#test/metrics/oracle.ts";
import { type TrueTicket, truth } from "#test/support/zendesk/truth.ts";
import type { ChaosAccount } from "../accounts.ts";

/** What an account holds, told to whoever counts by brute force. */
export function tellTruth(oracle: Oracle, { world, scope }: ChaosAccount): void {
  const { connectionId } = scope;
  for (const status of world.definitions.customStatuses.values())
    oracle.customStatuses.set(`${connectionId}/${status.id}`, status.category);
  const known = truth(world);
  for (const ticket of known.tickets) oracle.ticket(connectionId, ticketRow(ticket));
  for (const { id, name, externalId, domainNames, updatedAt } of known.organizations) {
    oracle.organization(connectionId, {
      id,
      name,
      externalId,
      domainNames,
      groupId: null,
      createdAt: null,
      updatedAt: new Date(updatedAt),
      deletedAt: null,
      fields: [],
      contentHash: "1",
    });
  }
  for (const [index, answer] of known.answers.entries()) {
    const at = new Date(answer.at);
    const category = (["good", "neutral", "bad"] as const).find((one) => one === answer.score) ?? null;
    const { ticketId, system, score, comment } = answer;
    oracle.rating(connectionId, {
      system,
      id: String(index),
      ticketId,
      score,
      category,
      comment,
      ratedAt: at,
      createdAt: at,
      updatedAt: at,
      contentHash: "1",
    });
  }
}

function ticketRow(ticket: TrueTicket): Parameters<Oracle["ticket"]>[1] {
  const {
    id,
    generatedTimestamp,
    organizationId,
    requesterId,
    assigneeId,
    groupId,
    customStatusId,
    priority,
    status,
    type,
    subject,
    tags,
  } = ticket;
  return {
    id,
    createdAt: new Date(ticket.createdAt),
    updatedAt: new Date(ticket.updatedAt),
    generatedTimestamp,
    solvedAt: null,
    deletedAt: ticket.deleted || ticket.scrubbed ? new Date(ticket.updatedAt) : null,
    organizationId,
    requesterId,
    assigneeId,
    groupId,
    customStatusId,
    reopens: null,
    merged: ticket.merged && status === "closed",
    priority,
    status,
    type,
    channel: "web",
    externalId: null,
    subject,
    tags,
    contentHash: "1",
    payload: "{}",
  };
}
