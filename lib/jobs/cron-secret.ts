import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "#lib/errors.ts";

/** Throws `unauthenticated` unless the header carries CRON_SECRET. */
export function requireCronSecret(authorization: string | null, secret: string): void {
  if (isCronSecret(authorization, secret)) return;
  throw new AppError("unauthenticated", "Cron calls carry the secret: Authorization: Bearer <CRON_SECRET>.");
}

/** Whether the header carries CRON_SECRET; takes the same time for every wrong one (row 109). */
export function isCronSecret(authorization: string | null, secret: string): boolean {
  const given = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(secret)) && secret.length > 0;
}
