import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { eventBody, planCommand, sampleBody } from "#lib/destinations/commands.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { readActions, requireSound } from "#lib/destinations/set-actions.ts";
import type { actionBody, preview, previewBody, Settings } from "#lib/destinations/shapes.ts";
import { readStoredEvent, settingsIn } from "#lib/destinations/store/parts.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";
import { matches } from "#lib/destinations/triggers.ts";
import { notFound } from "#lib/errors.ts";

type Preview = z.input<typeof preview>;
type PreviewBody = z.output<typeof previewBody>;

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
  const unsaved = body.actions ?? [];
  const time = new TemplateTime();
  requireSound(unsaved, "actions.", time);
  const stored = await readActions(db, workspaceId, row.id);
  const left = stored.filter(({ key }) => unsaved.every((action) => action.key !== key));
  const event = await eventOf(db, workspaceId, body, now);
  const settings = settingsIn(row);
  return { items: [...unsaved, ...left].map((action) => previewOf(event, action, settings, time)) };
}

async function eventOf(db: Db, workspaceId: number, { event, eventId }: PreviewBody, now: Date) {
  if (event !== undefined) return sampleBody(event, now);
  const stored = /^\d{1,18}$/.test(eventId ?? "") ? await readStoredEvent(db, workspaceId, eventId ?? "") : null;
  if (!stored) throw notFound("The event");
  return eventBody(stored);
}

function previewOf(
  event: Readonly<Record<string, unknown>>,
  action: z.output<typeof actionBody>,
  settings: Settings,
  time: TemplateTime,
): Preview["items"][number] {
  const { command, problems, refusal } = planCommand(action, event, settings, time);
  const triggered = matches(action.trigger, event);
  const refused = triggered && refusal ? [{ field: "", message: `${refusal.reason} ${refusal.fix}` }] : [];
  const { key, enabled } = action;
  return { key, enabled, triggered, ...command, problems: [...refused, ...problems] };
}
