import { isoSeconds, MINUTE } from "../world/clock.ts";
import type { Ticket, TicketMetrics, TicketSatisfaction } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { distorted } from "./distort.ts";
import { type Wire, wireId } from "./json.ts";

/** A ticket. Only the export has `generated_timestamp`; lists and by-id answers have an `encoded_id` instead. */
export function ticketRow(world: World, base: string, ticket: Ticket, form: "export" | "plain"): Wire {
  const fields = Array.from(ticket.customFields, ([id, value]) => ({ id: wireId(id), value }));
  return distorted(world, "ticket", ticket.id, {
    url: `${base}/api/v2/tickets/${ticket.id}.json`,
    id: wireId(ticket.id),
    external_id: ticket.externalId,
    via: { channel: ticket.channel, source: { from: {}, to: {}, rel: ticket.mergedInto === null ? null : "merge" } },
    created_at: isoSeconds(ticket.createdAt),
    updated_at: isoSeconds(ticket.updatedAt),
    type: ticket.type,
    subject: ticket.subject,
    raw_subject: ticket.subject,
    description: ticket.description,
    priority: ticket.priority,
    status: ticket.deleted ? "deleted" : ticket.status,
    recipient: null,
    requester_id: wireId(ticket.requesterId),
    submitter_id: wireId(ticket.submitterId),
    assignee_id: wireId(ticket.assigneeId),
    organization_id: wireId(ticket.organizationId),
    group_id: wireId(ticket.groupId),
    collaborator_ids: [],
    follower_ids: [],
    email_cc_ids: [],
    forum_topic_id: null,
    problem_id: null,
    has_incidents: false,
    is_public: ticket.isPublic,
    due_at: null,
    tags: ticket.tags,
    custom_fields: fields,
    satisfaction_rating: satisfaction(ticket.satisfaction),
    sharing_agreement_ids: [],
    custom_status_id: wireId(ticket.customStatusId),
    fields,
    followup_ids: ticket.followupIds.map((id) => wireId(id)),
    ticket_form_id: null,
    brand_id: null,
    allow_channelback: false,
    allow_attachments: true,
    from_messaging_channel: false,
    ...(form === "export"
      ? { generated_timestamp: ticket.generatedTimestamp }
      : { encoded_id: `${ticket.id.padStart(6, "0")}-STAND` }),
  });
}

function satisfaction(rating: TicketSatisfaction): Wire | null {
  if (rating === null || !("id" in rating)) return rating;
  const { id, score, comment, reason, reasonId } = rating;
  return { id: wireId(id), score, comment, reason, reason_id: wireId(reasonId) };
}

/** The `metric_set` embedded in a ticket, or the row of the ticket metrics endpoints. */
export function metricSet(base: string, ticket: Ticket): Wire {
  const { metrics } = ticket;
  return {
    url: `${base}/api/v2/ticket_metrics/${metrics.id}.json`,
    id: wireId(metrics.id),
    ticket_id: wireId(ticket.id),
    created_at: isoSeconds(ticket.createdAt),
    updated_at: isoSeconds(ticket.updatedAt),
    group_stations: metrics.groupStations,
    assignee_stations: metrics.assigneeStations,
    reopens: metrics.reopens,
    replies: metrics.replies,
    assignee_updated_at: isoOrNull(metrics.assigneeUpdatedAt),
    requester_updated_at: isoSeconds(metrics.requesterUpdatedAt),
    status_updated_at: isoSeconds(metrics.statusUpdatedAt),
    initially_assigned_at: isoOrNull(metrics.initiallyAssignedAt),
    assigned_at: isoOrNull(metrics.assignedAt),
    solved_at: isoOrNull(metrics.solvedAt),
    latest_comment_added_at: isoSeconds(metrics.latestCommentAt),
    custom_status_updated_at: isoSeconds(metrics.statusUpdatedAt),
    ...durations(ticket.createdAt, metrics),
  };
}

function durations(createdAt: number, metrics: TicketMetrics): Wire {
  const since = (instant: number | null): Wire => both(instant && Math.floor((instant - createdAt) / MINUTE));
  return {
    reply_time_in_minutes: since(metrics.firstReplyAt),
    first_resolution_time_in_minutes: since(metrics.firstSolvedAt),
    full_resolution_time_in_minutes: since(metrics.solvedAt),
    agent_wait_time_in_minutes: both(metrics.solvedAt === null ? null : 0),
    requester_wait_time_in_minutes: since(metrics.solvedAt),
    on_hold_time_in_minutes: both(metrics.onHoldMinutes),
    reply_time_in_seconds: { calendar: null },
  };
}

function both(minutes: number | null): Wire {
  return { calendar: minutes, business: minutes };
}

function isoOrNull(instant: number | null): string | null {
  return instant === null ? null : isoSeconds(instant);
}
