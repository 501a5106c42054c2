import { ChangeIndex } from "./change-index.ts";
import { seconds } from "./clock.ts";
import { plainEvent, ticketEvents } from "./event-types.ts";
import type { Id } from "./ids.ts";
import type { Audit, Change, Priority, Status, Ticket } from "./rows.ts";
import { changesOf, creationChanges, type TicketChanges } from "./ticket-changes.ts";
import { newMetrics, recordChanges, recordComment } from "./ticket-metrics.ts";
import type { World } from "./world.ts";

export interface TicketInput {
  id?: Id;
  subject?: string;
  description?: string;
  priority?: Priority | (string & {});
  status?: Status;
  customStatusId?: Id | null;
  type?: string | null;
  /** Default: a requester shared by all such tickets. */
  requesterId?: Id;
  assigneeId?: Id | null;
  /** Default: the requester's organization. */
  organizationId?: Id | null;
  groupId?: Id | null;
  externalId?: string | null;
  tags?: string[];
  /** By field id. */
  customFields?: Record<Id, unknown>;
  channel?: string;
  aiAgent?: boolean;
}

/** Who does it and how: `by` defaults to the assignee, then the administrator. */
export interface Circumstances {
  by?: Id;
  channel?: string;
  rel?: string | null;
  comment?: { body: string; isPublic?: boolean; authorId?: Id };
}

/** Tickets of an account with their whole history of audits. */
export class Tickets {
  readonly byId = new Map<Id, Ticket>();
  readonly index = new ChangeIndex<Ticket>((row) => row.generatedTimestamp);
  readonly audits = new ChangeIndex<Audit>((row) => seconds(row.at));

  constructor(private readonly world: World) {}

  create(input: TicketInput = {}, circumstances: Circumstances = {}): Ticket {
    const { world } = this;
    const now = world.now();
    const requesterId = input.requesterId ?? world.users.defaultRequester().id;
    const assigneeId = input.assigneeId ?? null;
    const status = input.status ?? (assigneeId === null ? "new" : "open");
    const comment = {
      body: input.description ?? input.subject ?? "Something does not work.",
      ...circumstances.comment,
    };
    const ticket: Ticket = {
      id: input.id ?? world.ids.nextTicket(),
      externalId: input.externalId ?? null,
      channel: input.channel ?? "web",
      type: input.type ?? null,
      subject: input.subject ?? "Something does not work",
      description: comment.body,
      priority: input.priority ?? null,
      status,
      customStatusId: input.customStatusId ?? world.definitions.defaultStatusId(status),
      requesterId,
      submitterId: circumstances.by ?? requesterId,
      assigneeId,
      organizationId: input.organizationId === undefined ? this.organizationOf(requesterId) : input.organizationId,
      groupId: input.groupId ?? (assigneeId === null ? null : world.definitions.defaultGroupId),
      tags: input.tags ?? [],
      customFields: new Map(Object.entries(input.customFields ?? {})),
      satisfaction: world.settings.satisfaction === "none" ? null : { score: "unoffered" },
      followupIds: [],
      isPublic: comment.isPublic ?? true,
      aiAgent: input.aiAgent ?? false,
      createdAt: now,
      updatedAt: now,
      generatedTimestamp: seconds(now),
      deleted: false,
      scrubbed: false,
      archived: false,
      mergedInto: null,
      metrics: newMetrics(world.ids.next(), now),
      audits: [],
      hiddenFromExport: false,
      visibleFrom: world.visibility(),
    };
    this.byId.set(ticket.id, ticket);
    this.index.add(ticket);
    const changes = creationChanges(ticket);
    recordChanges(ticket.metrics, changes, now);
    this.writeAudit(ticket, changes, {
      by: ticket.submitterId,
      channel: ticket.channel,
      ...circumstances,
      comment,
    });
    world.webhooks.announce("ticket", ticket.id, plainEvent("ticket.created"), true);
    return ticket;
  }

  /** One update by a person or a rule: an audit with a child for each changed field. Closed tickets refuse it. */
  update(id: Id, changes: TicketChanges, circumstances: Circumstances = {}): Ticket {
    const ticket = this.living(id);
    if (ticket.status === "closed" && circumstances.channel !== "system") {
      throw new Error("Status: closed prevents ticket update");
    }
    const written = changesOf(this.world, ticket, changes);
    if (written.length > 0 || circumstances.comment !== undefined) this.commit(ticket, written, circumstances);
    return ticket;
  }

  /** A public answer, or an internal note. */
  comment(id: Id, body: string, circumstances: Circumstances & { isPublic?: boolean } = {}): Ticket {
    const { isPublic = true, ...rest } = circumstances;
    return this.update(id, {}, { ...rest, comment: { body, isPublic } });
  }

  solve(id: Id, circumstances: Circumstances = {}): Ticket {
    return this.update(id, { status: "solved" }, circumstances);
  }

  /** The requester answers a solved ticket. */
  reopen(id: Id, body = "It happens again."): Ticket {
    const ticket = this.living(id);
    return this.update(id, { status: "open" }, { by: ticket.requesterId, comment: { body } });
  }

  /** The automation that closes what has been solved for some days. */
  closeSolved(id: Id): Ticket {
    return this.update(id, { status: "closed" }, { channel: "rule", rel: "automation" });
  }

  /** A change that only the export notices: `generated_timestamp` moves, `updated_at` does not. */
  systemTouch(id: Id): Ticket {
    return this.stamp(this.existing(id));
  }

  /** Another organization or requester without any audit, as merges leave closed tickets. */
  reassignSilently(id: Id, changes: { organizationId?: Id | null; requesterId?: Id }): Ticket {
    return this.stamp(Object.assign(this.existing(id), changes));
  }

  delete(id: Id, by: Id = this.world.adminId): Ticket {
    const ticket = this.living(id);
    ticket.deleted = true;
    return this.recordDeletion(ticket, { from: ticket.status, to: "deleted" }, by);
  }

  restore(id: Id, by: Id = this.world.adminId): Ticket {
    const ticket = this.existing(id);
    if (!ticket.deleted || ticket.scrubbed) throw new Error(`Ticket ${id} cannot be restored`);
    ticket.deleted = false;
    return this.recordDeletion(ticket, { from: "deleted", to: ticket.status }, by);
  }

  /** Permanent deletion: the text goes, an empty shell stays in the export. */
  scrub(id: Id): Ticket {
    const ticket = this.existing(id);
    if (!ticket.deleted) this.delete(id);
    const ghost = this.world.users.create({ name: "Permanently Deleted User" });
    Object.assign(ghost, { active: false, permanentlyDeleted: true });
    Object.assign(ticket, { scrubbed: true, subject: "SCRUBBED", description: "X", requesterId: ghost.id, tags: [] });
    ticket.customFields.clear();
    for (const audit of ticket.audits) {
      if (audit.comment !== null) audit.comment.body = "X";
      for (const change of audit.changes) if (change.field === "subject") change.value = "SCRUBBED";
    }
    this.stamp(ticket);
    this.world.webhooks.announce("ticket", id, plainEvent("ticket.permanently_deleted"));
    return ticket;
  }

  /** Sources become closed with the tag `closed_by_merge`; the target gets a comment and lives on. */
  merge(targetId: Id, sourceIds: readonly Id[], by: Id = this.world.adminId): Ticket {
    const target = this.living(targetId);
    for (const id of sourceIds) {
      const source = this.living(id);
      source.mergedInto = targetId;
      this.update(
        id,
        { status: "closed", tags: [...source.tags, "closed_by_merge"] },
        { by, rel: "merge", comment: { body: `This request was merged into #${targetId}.` } },
      );
      this.world.webhooks.announce("ticket", id, plainEvent("ticket.merged"));
    }
    return (
      this.comment(targetId, `Requests ${sourceIds.map((id) => `#${id}`).join(", ")} were merged.`, {
        by,
        rel: "merge",
      }) && target
    );
  }

  /** Leaves the ordinary lists; stays in the export and by id. */
  archive(id: Id): Ticket {
    const ticket = this.living(id);
    if (ticket.status !== "closed") throw new Error("Only closed tickets are archived");
    ticket.archived = true;
    return this.stamp(ticket);
  }

  /** Keeps a ticket out of the incremental export while by-id and lists still answer it. */
  hideFromExport(id: Id, hidden = true): Ticket {
    const ticket = this.existing(id);
    ticket.hiddenFromExport = hidden;
    return ticket;
  }

  /** Writes a version with changes of the ticket's own state that no audit names, such as a rating. */
  commit(ticket: Ticket, changes: Change[], circumstances: Circumstances = {}): Ticket {
    const now = this.world.now();
    recordChanges(ticket.metrics, changes, now);
    ticket.updatedAt = now;
    this.writeAudit(ticket, changes, circumstances);
    this.stamp(ticket);
    const parts = ticketEvents(changes, circumstances.comment !== undefined);
    this.world.webhooks.announce("ticket", ticket.id, parts, true);
    return ticket;
  }

  ofOrganization(organizationId: Id): Ticket[] {
    return [...this.byId.values()].filter((ticket) => ticket.organizationId === organizationId);
  }

  /** Gone without a word: no export, no list and no address knows the ticket any more. */
  vanish(id: Id): void {
    this.byId.delete(this.existing(id).id);
  }

  existing(id: Id): Ticket {
    const ticket = this.byId.get(id);
    if (ticket === undefined) throw new Error(`No ticket ${id}`);
    return ticket;
  }

  private living(id: Id): Ticket {
    const ticket = this.existing(id);
    if (ticket.deleted) throw new Error(`Ticket ${id} is deleted`);
    return ticket;
  }

  private organizationOf(userId: Id): Id | null {
    return this.world.users.byId.get(userId)?.organizationId ?? null;
  }

  private recordDeletion(ticket: Ticket, status: { from: string; to: string }, by: Id): Ticket {
    ticket.updatedAt = this.world.now();
    if (this.world.settings.deletionAudits) {
      const change: Change = { kind: "Change", field: "status", value: status.to, previous: status.from };
      this.writeAudit(ticket, [change], { by });
    }
    this.stamp(ticket);
    const event = ticket.deleted ? "ticket.soft_deleted" : "ticket.undeleted";
    this.world.webhooks.announce("ticket", ticket.id, plainEvent(event));
    return ticket;
  }

  private writeAudit(ticket: Ticket, changes: Change[], circumstances: Circumstances): void {
    const { comment } = circumstances;
    const at = this.world.now();
    const authorId = circumstances.by ?? ticket.assigneeId ?? this.world.adminId;
    const audit: Audit = {
      id: this.world.ids.block(changes.length + 2),
      ticketId: ticket.id,
      at,
      authorId,
      channel: circumstances.channel ?? "web",
      rel: circumstances.rel ?? null,
      changes,
      comment: comment === undefined ? null : { authorId, isPublic: true, ...comment },
      visibleFrom: this.world.visibility(),
    };
    if (audit.comment !== null) {
      const byAgent = (this.world.users.byId.get(audit.comment.authorId)?.role ?? "end-user") !== "end-user";
      recordComment(ticket.metrics, { byAgent, isPublic: audit.comment.isPublic, at });
    }
    ticket.audits.push(audit);
    this.audits.add(audit);
  }

  private stamp(ticket: Ticket): Ticket {
    ticket.generatedTimestamp = seconds(this.world.now());
    ticket.visibleFrom = this.world.visibility();
    this.index.moved();
    return ticket;
  }
}
