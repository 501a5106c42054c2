import { isoSeconds, seconds } from "../world/clock.ts";
import type { Audit, Change, Comment } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { distorted } from "./distort.ts";
import { type Wire, wireId } from "./json.ts";

const isFieldId = /^-?\d+$/;

/** A row of the event export: a child for each changed field, the field as its own key, every value text. */
export function eventRow(world: World, audit: Audit, options: { comments?: boolean } = {}): Wire {
  const children: Wire[] = [];
  if (audit.comment !== null) children.push(commentChild(audit, audit.comment, options.comments ?? false));
  for (const [position, change] of audit.changes.entries()) {
    children.push(changeChild(world, audit, change, audit.id + 2 + position));
  }
  return distorted(world, "ticket_event", String(audit.id), {
    id: audit.id,
    ticket_id: wireId(audit.ticketId),
    timestamp: seconds(audit.at),
    created_at: isoSeconds(audit.at),
    updater_id: wireId(audit.authorId),
    via: channelName(audit.channel),
    system: { client: "Stand-in browser", location: "Nowhere", latitude: 0, longitude: 0 },
    metadata: {},
    event_type: "Audit",
    child_events: children,
  });
}

function changeChild(world: World, audit: Audit, change: Change, id: number): Wire {
  const changed = isFieldId.test(change.field)
    ? { custom_ticket_fields: { [change.field]: change.value } }
    : { [change.field]: change.value };
  return {
    id,
    via: channelName(audit.channel),
    via_reference_id: null,
    ...changed,
    event_type: change.kind,
    ...(world.settings.previousValues && change.kind === "Change" && { previous_value: change.previous }),
  };
}

function commentChild(audit: Audit, comment: Comment, withBody: boolean): Wire {
  return {
    id: audit.id + 1,
    via: channelName(audit.channel),
    via_reference_id: null,
    comment_present: true,
    comment_public: comment.isPublic,
    event_type: "Comment",
    ...(withBody && commentText(audit, comment)),
  };
}

/** A comment as the list of a ticket's comments and the events that sideload it show it. */
export function commentText(audit: Pick<Audit, "id" | "at">, comment: Comment): Wire {
  return {
    type: "Comment",
    author_id: wireId(comment.authorId),
    body: comment.body,
    html_body: `<div class="zd-comment">${comment.body}</div>`,
    plain_body: comment.body,
    public: comment.isPublic,
    attachments: [],
    audit_id: audit.id,
    created_at: isoSeconds(audit.at),
  };
}

/** A row of `/tickets/{id}/audits`. */
export function auditRow(audit: Audit): Wire {
  const { comment } = audit;
  return {
    id: audit.id,
    ticket_id: wireId(audit.ticketId),
    created_at: isoSeconds(audit.at),
    author_id: wireId(audit.authorId),
    metadata: { system: { client: "Stand-in browser", location: "Nowhere" }, custom: {} },
    events: [
      ...(comment === null ? [] : [auditComment(audit, comment)]),
      ...audit.changes.map((change, position) => ({
        id: audit.id + 2 + position,
        type: change.kind,
        value: change.value,
        field_name: change.field,
        ...(change.kind === "Change" && { previous_value: change.previous }),
      })),
    ],
    via: { channel: audit.channel, source: { from: {}, to: {}, rel: audit.rel } },
  };
}

/** Among the events of an audit a comment has no time of its own. */
function auditComment(audit: Audit, comment: Comment): Wire {
  const { created_at: _, ...text } = commentText(audit, comment);
  return { id: audit.id + 1, ...text };
}

function channelName(channel: string): string {
  return channel === "web" ? "Web form" : channel === "email" ? "Mail" : channel === "api" ? "Web service" : "Rule";
}
