import { randomUUID } from "node:crypto";
import type { Context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";
import { concealed } from "#lib/log.ts";
import { processIntake } from "#lib/sources/intake.ts";
import { instantOf, isObject, type JsonObject, judge, type Refusal, type Surroundings } from "#lib/sources/judge.ts";
import type { EventType } from "#lib/sources/shapes.ts";
import type { NewEvent } from "#lib/sources/store/events.ts";
import { type KeyOwner, processKeyRing } from "#lib/sources/write-keys.ts";

/** What is judged and stored at a time: a batch of tiny events may hold a hundred thousand. */
const mostTogether = { events: 2500, bytes: 4 * 1024 * 1024 };
/** What the events of a batch inherit is stored with each of them: so much in all. */
const mostInheritedBytes = 32 * 1024 * 1024;

/** An event of a batch that was refused; it is stored with its reason, and the others went through. */
export interface Rejected {
  index: number;
  messageId: string | null;
  message: string;
}

/** Whose events come, and by which key. */
interface Sender extends KeyOwner {
  writeKey: string;
}

/** Whose events the key lets in. Throws `unauthenticated`, the same for every key that does not work, and `forbidden` where the source is switched off. */
export async function ownerOf(ctx: Context, writeKey: string | null, now: Date): Promise<Sender> {
  const owner = writeKey === null || writeKey === "" ? null : await processKeyRing(ctx).owner(writeKey, now);
  if (writeKey === null || owner === null) {
    const message = "Send a write key that works: as the user name of Basic authentication, or as Bearer.";
    throw new AppError("unauthenticated", message);
  }
  if (owner.isEnabled) return { ...owner, writeKey };
  throw new AppError("forbidden", "The source of this write key is switched off: its events are not taken.");
}

/** Takes one event; its door names the type. Settles when it is stored. Throws `invalid` for one that is refused, and stores it with its reason. */
export async function takeEvent(
  ctx: Context,
  owner: Sender,
  call: { type: EventType; body: unknown },
  now: Date,
): Promise<void> {
  const [refusal] = await take(ctx, owner, [call.body], {
    type: call.type,
    inherited: {},
    sentAt: isObject(call.body) ? instantOf(call.body.sentAt) : null,
    receivedAt: now,
    newId,
  });
  if (!refusal) return;
  const { path, message, tooLarge } = refusal.refusal;
  if (tooLarge) throw new AppError("too_large", `${message}.`);
  throw new AppError("invalid", `${sentence(refusal.refusal)}.`, { details: [{ path, message }], malformed: true });
}

/** Takes the events of a batch, each judged alone. Settles when they are stored, and gives those that were refused. */
export async function takeBatch(ctx: Context, owner: Sender, body: unknown, now: Date): Promise<Rejected[]> {
  if (!isObject(body) || !Array.isArray(body.batch)) {
    const details = [{ path: "batch", message: "must be a list of events" }];
    throw new AppError("invalid", "batch must be a list of events.", { details, malformed: true });
  }
  const { batch } = body;
  const inherited = Object.fromEntries(inheritable.filter((key) => key in body).map((key) => [key, body[key]]));
  const around = { type: null, inherited, sentAt: instantOf(body.sentAt), receivedAt: now, newId };
  const refusals = await take(ctx, owner, batch, around);
  return refusals.map(({ index, refusal }) => ({
    index,
    messageId: messageIdOf(batch[index]),
    message: `${sentence(refusal)}.`,
  }));
}

const inheritable = ["context", "integrations", "userId", "anonymousId", "groupId", "channel"];

/** Part by part, each stored before the next is judged: the size of a call bounds what it takes of memory and of a turn. */
async function take(
  ctx: Context,
  owner: Sender,
  events: readonly unknown[],
  around: Surroundings,
): Promise<{ index: number; refusal: Refusal }[]> {
  const { sourceId, workspaceId, writeKey } = owner;
  const bytesOfEach = inheritedBytes(around.inherited);
  const refusals: { index: number; refusal: Refusal }[] = [];
  let index = 0;
  while (index < events.length) {
    const part: NewEvent[] = [];
    for (let bytes = 0; index < events.length && hasRoom(part, bytes); index += 1) {
      const isTooMuch = bytesOfEach * (index + 1) > mostInheritedBytes;
      const { event, refusal } = isTooMuch
        ? judge(events[index], around, inheritsTooMuch)
        : judge(events[index], around);
      part.push({ ...withoutKey(event, writeKey), sourceId });
      if (refusal !== null) refusals.push({ index, refusal });
      bytes += Math.max(event.payload.length, bytesOfEach);
    }
    await processIntake(ctx).take(workspaceId, part);
  }
  return refusals;
}

/** The key by which it came is no part of an event, wherever it stands in it: nobody may read it there (row 115). */
function withoutKey<Event extends object>(event: Event, writeKey: string): Event {
  const columns = Object.entries(event).map(([name, value]) => [
    name,
    typeof value === "string" ? value.replaceAll(writeKey, concealed) : value,
  ]);
  return Object.fromEntries(columns) as Event;
}

const hasRoom = (part: readonly unknown[], bytes: number) =>
  part.length < mostTogether.events && bytes < mostTogether.bytes;

const inheritsTooMuch: Refusal = {
  path: "",
  message: `The event inherits too much: what stands at the top of the batch comes to more than ${mostInheritedBytes / 1024 / 1024} MB in its events. Send fewer at once`,
  tooLarge: true,
};

/** Also of what is nested too deeply to be said, which each event is refused for. */
function inheritedBytes(inherited: JsonObject): number {
  if (Object.keys(inherited).length === 0) return 0;
  try {
    return Buffer.byteLength(JSON.stringify(inherited));
  } catch {
    return mostInheritedBytes / 64;
  }
}

const sentence = ({ path, message }: Refusal) => `${path} ${message}`.trim();

function messageIdOf(event: unknown): string | null {
  return isObject(event) && typeof event.messageId === "string" ? event.messageId.slice(0, 512) : null;
}

/** For an event that came without an id: ours, which nobody can send again. */
const newId = () => `bellwether-${randomUUID()}`;
