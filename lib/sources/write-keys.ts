import { createHash, randomBytes } from "node:crypto";
import { inWorkspace } from "#db/client.ts";
import { type Context, onePerContext } from "#lib/context.ts";
import { registerSecrets } from "#lib/log.ts";
import { findWriteKey, isSourceEnabled, markWriteKeyUsed } from "#lib/sources/store/keys.ts";

/** Whose events a write key lets in. */
export interface KeyOwner {
  workspaceId: number;
  sourceId: number;
  /** False: its source is switched off. */
  isEnabled: boolean;
  endsAt: Date | null;
}

type RingContext = Pick<Context, "db">;

/** So long a process trusts what it read of a key: another process may have let it end meanwhile. */
const trustedMs = 2000;
const mostRemembered = 10_000;
/** Writing down each use would make every call of a busy source two writes. */
const usedEveryMs = 60_000;

/** Write keys that this process was shown lately, found by their digests. */
export class KeyRing {
  private readonly ctx: RingContext;
  private known = new Map<string, { until: number; owner: Promise<KeyOwner | null> }>();

  constructor(ctx: RingContext) {
    this.ctx = ctx;
  }

  /** Null for a key that is unknown, was replaced, or belongs to a source that was removed. */
  async owner(key: string, now: Date): Promise<KeyOwner | null> {
    const hash = digest(key);
    const name = hash.toString("base64");
    let entry = this.known.get(name);
    if (!entry || entry.until <= now.getTime() || entry.until > now.getTime() + trustedMs) {
      entry = { until: now.getTime() + trustedMs, owner: lookUp(this.ctx, hash, key, now) };
      if (this.known.size >= mostRemembered) this.known.clear();
      const { known } = this;
      known.set(name, entry);
      entry.owner.catch(() => known.delete(name));
    }
    const owner = await entry.owner;
    return owner === null || (owner.endsAt !== null && owner.endsAt <= now) ? null : owner;
  }

  /** To be called after the transaction that changed a key or a source: whoever asks from now on is told what holds now. */
  forget(): void {
    // A look-up that is under way ends in the map of before.
    this.known = new Map();
  }
}

async function lookUp(ctx: RingContext, hash: Buffer, key: string, now: Date): Promise<KeyOwner | null> {
  const stored = await findWriteKey(ctx.db, hash);
  if (!stored) return null;
  // Whoever made it, this process or another: nobody else can name it.
  registerSecrets([key]);
  const { workspaceId, sourceId, endsAt } = stored;
  const isEnabled = await inWorkspace(ctx.db, workspaceId, async (trx) => {
    const enabled = await isSourceEnabled(trx, stored);
    const isDue = now.getTime() - (stored.lastUsedAt?.getTime() ?? 0) >= usedEveryMs;
    if (enabled && isDue) await markWriteKeyUsed(trx, stored, now);
    return enabled;
  });
  return isEnabled === undefined ? null : { workspaceId, sourceId, isEnabled, endsAt };
}

/** A new key: 24 random bytes, of which the digest is kept. Safe as a user name and in an address. */
export function newWriteKey(): { writeKey: string; keyHash: Buffer; hint: string } {
  const writeKey = `bwk_${randomBytes(24).toString("base64url")}`;
  registerSecrets([writeKey]);
  return { writeKey, keyHash: digest(writeKey), hint: `…${writeKey.slice(-4)}` };
}

function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** The process's one ring of a context. */
export const processKeyRing = onePerContext("ring", (ctx: Context) => new KeyRing(ctx));
