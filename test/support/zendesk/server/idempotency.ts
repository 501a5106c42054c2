import { createHash } from "node:crypto";
import { HOUR } from "../world/clock.ts";
import type { World } from "../world/world.ts";
import { type Answer, refusal } from "./answer.ts";
import type { Call } from "./routes.ts";

interface Kept {
  bodyHash: string;
  answer: Answer;
  at: number;
}

const keptFor = 2 * HOUR;
const longestKey = 255;
const accounts = new WeakMap<World, Map<string, Kept>>();

/**
 * Does what `Idempotency-Key` asks for: the first request with a key is answered by `write`, later ones with what that one
 * was told; with another body they are refused. Refusals are not kept, since nothing was done.
 */
export function onceByKey(call: Call, write: () => Answer): Answer {
  const key = call.request.headers["idempotency-key"];
  if (typeof key !== "string") return write();
  const { world, body } = call.request;
  if (key.length > longestKey) {
    throw refusal(400, "IdempotentRequestError", `Idempotency-Key can have at most ${longestKey} characters`);
  }
  const known = keptOf(world).get(key);
  const bodyHash = createHash("sha256").update(body).digest("hex");
  if (known !== undefined && world.now() - known.at < keptFor) {
    if (known.bodyHash === bodyHash) return lookedUp(known.answer, "hit");
    throw refusal(400, "IdempotentRequestError", "The request parameters do not match those of the first request");
  }
  const answer = write();
  keptOf(world).set(key, { bodyHash, answer, at: world.now() });
  return lookedUp(answer, "miss");
}

function keptOf(world: World): Map<string, Kept> {
  const kept = accounts.get(world) ?? new Map<string, Kept>();
  accounts.set(world, kept);
  return kept;
}

function lookedUp(answer: Answer, lookup: "hit" | "miss"): Answer {
  return { ...answer, headers: { ...answer.headers, "x-idempotency-lookup": lookup } };
}
