import { decrypt, encrypt } from "#lib/auth/encryption.ts";
import type { Config } from "#lib/config.ts";
import { registerSecrets } from "#lib/log.ts";

type Keys = { config: Pick<Config, "secrets"> };

/** So long deliveries that are signed with the former secret are taken. Milliseconds. */
export const secretOverlap = 24 * 3_600_000;

/** A signing secret as a webhook keeps it. */
export function sealSecret(ctx: Keys, secret: string): string {
  registerSecrets([secret]);
  return encrypt(ctx.config.secrets.encryption, secret);
}

export function openSecret(ctx: Keys, sealed: string): string {
  const secret = decrypt(ctx.config.secrets.encryption, sealed);
  registerSecrets([secret]);
  return secret;
}

/** The secrets that may have signed a delivery now: during a rotation, the one before as well. */
export function secretsAt(
  ctx: Keys,
  webhook: { secret: string | null; previous_secret: string | null; previous_until: Date | null },
  now: Date,
): string[] {
  const isKept = webhook.previous_until !== null && webhook.previous_until > now;
  return [webhook.secret, isKept ? webhook.previous_secret : null].flatMap((sealed) =>
    sealed === null ? [] : [openSecret(ctx, sealed)],
  );
}
