import type { z } from "zod";
import type { Db } from "#db/client.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import { eventBody, planCommand, sampleBody } from "#lib/destinations/commands.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { withoutSecrets } from "#lib/destinations/exchange-text.ts";
import type { Problem } from "#lib/destinations/mapping.ts";
import { flagOf, isNamed, personOf } from "#lib/destinations/procedures/command-fields.ts";
import { ticketExternalId } from "#lib/destinations/procedures/create-ticket.ts";
import { commentOf } from "#lib/destinations/procedures/ticket-values.ts";
import { descriptionOf } from "#lib/destinations/procedures/track-event.ts";
import { notAssociated } from "#lib/destinations/procedures/upsert-organization.ts";
import { lackingToCreate, onCreation, standInOf } from "#lib/destinations/procedures/write-user.ts";
import { readActions, requireSound } from "#lib/destinations/set-actions.ts";
import type { ActionKey, actionBody, preview, previewBody, Settings } from "#lib/destinations/shapes.ts";
import { readStoredEvent, settingsIn } from "#lib/destinations/store/parts.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";
import { matches } from "#lib/destinations/triggers.ts";
import { notFound } from "#lib/errors.ts";

type Preview = z.input<typeof preview>;
type PreviewBody = z.output<typeof previewBody>;
type SetAction = z.output<typeof actionBody>;

/**
 * What each action would make of an event, the caller's or one that was received, also with actions that are not saved yet.
 * Nothing is asked and nothing is sent. Throws `not_found`, or `invalid` for actions that could not be saved.
 */
export async function previewActions(
  db: Db,
  workspaceId: number,
  id: string,
  body: PreviewBody,
  now: Date,
): Promise<Preview> {
  const row = await requireDestination(db, workspaceId, id);
  const time = new TemplateTime();
  const actions = await actionsBeside(db, workspaceId, row.id, body.actions ?? [], time);
  const event = await eventMeant(db, workspaceId, body, now);
  const settings = settingsIn(row);
  return withoutSecrets({ items: actions.map((action) => previewOf(event, action, settings, time)) });
}

/** Actions that are not saved yet, and those of the destination that they do not take the place of. Throws `invalid` for what could not be saved. */
export async function actionsBeside(
  db: Db,
  workspaceId: number,
  destinationId: number,
  unsaved: readonly SetAction[],
  time = new TemplateTime(),
): Promise<SetAction[]> {
  requireSound(unsaved, "actions.", time);
  const stored = await readActions(db, workspaceId, destinationId);
  return [...unsaved, ...stored.filter(({ key }) => unsaved.every((action) => action.key !== key))];
}

/** The caller's event, or one that was received, as triggers and mappings see it. Throws `not_found`. */
export async function eventMeant(
  db: Db,
  workspaceId: number,
  { event, eventId }: Pick<PreviewBody, "event" | "eventId">,
  now: Date,
) {
  if (event !== undefined) return sampleBody(event, now);
  const stored = /^\d{1,18}$/.test(eventId ?? "") ? await readStoredEvent(db, workspaceId, eventId ?? "") : null;
  if (!stored) throw notFound("The event");
  return eventBody(stored);
}

function previewOf(
  event: Readonly<Record<string, unknown>>,
  action: SetAction,
  settings: Settings,
  time: TemplateTime,
): Preview["items"][number] {
  const { key, enabled } = action;
  const { command, problems, refusal } = planCommand(action, event, settings, time);
  const triggered = matches(action.trigger, event);
  const refused = triggered && refusal ? [{ field: "", message: `${refusal.reason} ${refusal.fix}` }] : [];
  const { fields, notes } = asSent(key, command, settings);
  const own = refusal ? {} : unsaid(key, command, String(event.messageId));
  const { creation, lacking } = refusal ? none : creationOf(key, { ...command, fields }, settings);
  return {
    ...{ key, enabled, triggered, unmapped: command.unmapped },
    fields: { ...fields, ...own },
    creation,
    problems: [...refused, ...problems, ...notes, ...lacking],
  };
}

/** A group call's user is not written where the destination associates nobody. */
function asSent(key: ActionKey, { fields }: Command, settings: Settings) {
  const isLeft = key === "upsert_organization" && !settings.associateOnGroup;
  const kept = Object.entries(fields).filter(([name]) => !isLeft || !name.startsWith("user."));
  const notes = kept.length < Object.keys(fields).length ? [{ field: "user", message: notAssociated }] : [];
  return { fields: Object.fromEntries(kept), notes };
}

/** What is sent though no rule gave it. */
function unsaid(key: ActionKey, command: Command, messageId: string): Record<string, unknown> {
  const comment = commentOf({ command });
  return {
    ...(comment && (key === "create_ticket" || key === "update_ticket") && { public: comment.public }),
    ...(key === "create_ticket" && { external_id: ticketExternalId(command, messageId) }),
    ...(key === "track_event" && { description: descriptionOf(command) }),
  };
}

/** By action, where its fields name the user whom it is about. */
const userIn: Record<ActionKey, "" | "user." | "requester."> = {
  upsert_user: "",
  upsert_organization: "user.",
  update_membership: "user.",
  create_ticket: "requester.",
  update_ticket: "requester.",
  track_event: "user.",
};

interface Creation {
  creation: Record<string, unknown>;
  lacking: Problem[];
}
const none: Creation = { creation: {}, lacking: [] };

/** What goes along where Zendesk does not know the user, or what is missing then; nothing where nobody would be created. */
function creationOf(key: ActionKey, command: Command, settings: Settings): Creation {
  const prefix = userIn[key];
  const person = personOf(command, prefix);
  const isAllowed = key === "upsert_user" || settings.unknownUserOnTrack === "create";
  const mayBeNew = isNamed(person) && person.id === null && flagOf(command, "remove") !== true;
  if (!isAllowed || !mayBeNew) return none;
  const name = key === "upsert_user" ? person.name : (person.name ?? standInOf(person));
  const field = lackingToCreate({ ...person, name });
  const message = "is missing: should Zendesk not know the user, none can be created without it, and this fails";
  if (field !== null) return { creation: {}, lacking: [{ field: `${prefix}${field}`, message }] };
  return { creation: Object.fromEntries(onCreation(settings).map((one) => [one.field, one.value])), lacking: [] };
}
