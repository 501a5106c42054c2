import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** Zendesk signs trial calls with this, and has published it: it proves nothing (row 91). */
export const publishedTestSecret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==";

/** A delivery as it came: headers, and the body's own bytes. */
export interface SignedDelivery {
  timestamp: string | null;
  signature: string | null;
  body: Buffer;
}

const digestLength = 32;

/**
 * Whether one of the secrets signed the delivery: HMAC-SHA256 over the timestamp header and the body's bytes, with the secret
 * as the text that it is. Every secret is tried whatever the first one says, so that the time tells nothing. No secret, no.
 */
export function isSignedBy(delivery: SignedDelivery, secrets: readonly string[]): boolean {
  const given = digestIn(delivery.signature);
  let signed = false;
  for (const secret of secrets) {
    const hmac = createHmac("sha256", secret)
      .update(delivery.timestamp ?? "", "utf8")
      .update(delivery.body);
    const isEqual = timingSafeEqual(hmac.digest(), given ?? Buffer.alloc(digestLength));
    if (isEqual && given !== null && secret !== "" && secret !== publishedTestSecret) signed = true;
  }
  return signed && delivery.timestamp !== null;
}

/** Base64 of exactly 32 bytes in its one spelling, or null: Node would decode almost anything into something. */
function digestIn(signature: string | null): Buffer | null {
  if (signature === null) return null;
  const bytes = Buffer.from(signature, "base64");
  return bytes.length === digestLength && bytes.toString("base64") === signature ? bytes : null;
}

const oldest = 24 * 3_600_000;
const youngest = 5 * 60_000;

/** The instant that was signed, or null where it is none, or too far from now: 24 hours past, 5 minutes ahead (row 89). */
export function freshInstant(timestamp: string | null, now: Date): Date | null {
  if (timestamp === null || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(timestamp)) return null;
  const at = Date.parse(timestamp);
  if (Number.isNaN(at)) return null;
  const age = now.getTime() - at;
  return age <= oldest && age >= -youngest ? new Date(at) : null;
}

/** What a delivery is known by: signed material alone, so that no header makes a replay look new (row 90). */
export function deliveryKey(delivery: SignedDelivery): Buffer {
  return createHash("sha256")
    .update(delivery.timestamp ?? "", "utf8")
    .update("\0")
    .update(delivery.body)
    .digest();
}
