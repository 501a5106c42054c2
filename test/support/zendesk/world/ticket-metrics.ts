import { MINUTE } from "./clock.ts";
import type { Id } from "./ids.ts";
import type { Change, TicketMetrics } from "./rows.ts";

export function newMetrics(id: Id, now: number): TicketMetrics {
  return {
    id,
    reopens: 0,
    replies: 0,
    assigneeStations: 0,
    groupStations: 0,
    initiallyAssignedAt: null,
    assignedAt: null,
    assigneeUpdatedAt: null,
    requesterUpdatedAt: now,
    statusUpdatedAt: now,
    latestCommentAt: now,
    firstReplyAt: null,
    firstSolvedAt: null,
    solvedAt: null,
    onHoldMinutes: 0,
  };
}

/** Carries the counters forward over the changes of one audit. */
export function recordChanges(metrics: TicketMetrics, changes: readonly Change[], now: number): void {
  for (const change of changes) {
    if (change.field === "status") recordStatus(metrics, change, now);
    if (change.field === "group_id" && change.value !== null) metrics.groupStations += 1;
    if (change.field === "assignee_id" && change.value !== null) {
      metrics.assigneeStations += 1;
      metrics.initiallyAssignedAt ??= now;
      metrics.assignedAt = now;
    }
  }
}

function recordStatus(metrics: TicketMetrics, change: Change, now: number): void {
  const wasDone = change.previous === "solved" || change.previous === "closed";
  const isDone = change.value === "solved" || change.value === "closed";
  if (change.previous === "hold") metrics.onHoldMinutes += Math.floor((now - metrics.statusUpdatedAt) / MINUTE);
  if (isDone && !wasDone) {
    metrics.solvedAt = now;
    metrics.firstSolvedAt ??= now;
  }
  if (wasDone && !isDone) {
    metrics.reopens += 1;
    metrics.solvedAt = null;
  }
  metrics.statusUpdatedAt = now;
}

export function recordComment(
  metrics: TicketMetrics,
  comment: { byAgent: boolean; isPublic: boolean; at: number },
): void {
  metrics.latestCommentAt = comment.at;
  if (!comment.byAgent) {
    metrics.requesterUpdatedAt = comment.at;
    return;
  }
  metrics.assigneeUpdatedAt = comment.at;
  if (!comment.isPublic) return;
  metrics.replies += 1;
  metrics.firstReplyAt ??= comment.at;
}
