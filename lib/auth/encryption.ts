import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { AppError } from "#lib/errors.ts";

/*
 * Secrets at rest (row 115): AES-256-GCM under a key derived from ENCRYPTION_KEY, which the database never holds.
 * A sealed text is `v1.` and the base64url of nonce (12 bytes), tag (16) and ciphertext; the version tells a later
 * program how to open what an earlier one sealed.
 */

const version = "v1.";
const nonceLength = 12;
const tagLength = 16;

/** Seals `plain` with a fresh random nonce: the same text never gives the same answer twice. */
export function encrypt(key: string, plain: string): string {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(key), nonce);
  const text = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return version + Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url");
}

/** Opens a sealed text. Throws `unavailable` when it was sealed with another key or has been changed. */
export function decrypt(key: string, sealed: string): string {
  try {
    if (!sealed.startsWith(version)) throw new Error("The sealed text has no known version.");
    const bytes = Buffer.from(sealed.slice(version.length), "base64url");
    const tagEnd = nonceLength + tagLength;
    const opener = createDecipheriv("aes-256-gcm", sealingKey(key), bytes.subarray(0, nonceLength), {
      authTagLength: tagLength,
    });
    opener.setAuthTag(bytes.subarray(nonceLength, tagEnd));
    return opener.update(bytes.subarray(tagEnd), undefined, "utf8") + opener.final("utf8");
  } catch (cause) {
    throw new AppError(
      "unavailable",
      "A stored secret cannot be opened: ENCRYPTION_KEY is not the one it was sealed with. Put the former key back, or enter the secret again.",
      { cause },
    );
  }
}

function sealingKey(key: string): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", "bellwether secrets at rest v1", 32));
}
