import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readCall } from "#app/v1/call-body.ts";
import { answerPreflight, openToBrowsers } from "#app/v1/cross-origin.ts";
import { keyShown } from "#app/v1/write-key.ts";
import { AppError } from "#lib/errors.ts";
import { ownerOf, takeBatch, takeEvent } from "#lib/sources/calls.ts";
import { isObject } from "#lib/sources/judge.ts";
import { type EventType, eventTypes } from "#lib/sources/shapes.ts";

/** Browser SDKs call the doors by their first letters. */
const doors = new Map<string, EventType | "batch">(
  [...eventTypes, "batch" as const].flatMap((door) => [
    [door, door],
    [door.slice(0, 1), door],
  ]),
);

/** Takes events: stored, then answered. A success means that they will not be lost. */
const take = plainRoute(
  "event door",
  async (request, { context, params, now, askedBy }) => {
    const door = doors.get(String(params.door));
    if (!door)
      throw new AppError("not_found", `There is no door of this name: ${eventTypes.join(", ")} and batch are.`);
    const shown = keyShown(request.headers.get("authorization"));
    // Who shows a key is judged by it before anything is read.
    let owner = shown === null ? null : await ownerOf(context, shown, now);
    const body = await readCall(request);
    owner ??= await ownerOf(context, keyInside(body), now);
    askedBy({ type: "source", workspaceId: owner.workspaceId, sourceId: String(owner.sourceId) });
    if (door !== "batch") {
      await takeEvent(context, owner, { type: door, body }, now);
      return Response.json({ success: true });
    }
    const rejected = await takeBatch(context, owner, body, now);
    return Response.json({ success: true, ...(rejected.length > 0 && { rejected }) });
  },
  { often: true },
);

export const POST: typeof take = async (request, route) => openToBrowsers(await take(request, route));

export const OPTIONS = plainRoute("event door", async (request) => answerPreflight(request), { quiet: true });

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");

/** Browser SDKs send no header of their own, so that nothing need be asked beforehand. */
function keyInside(body: unknown): string | null {
  return isObject(body) && typeof body.writeKey === "string" ? body.writeKey : null;
}
