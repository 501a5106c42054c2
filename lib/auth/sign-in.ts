import type { Db } from "#db/client.ts";
import { type AddressLocks, openAddressLocks } from "#lib/auth/address-locks.ts";
import { verifyPassword } from "#lib/auth/passwords.ts";
import { countAttempt, findPeopleByEmail, lockedUntil, markSignedIn, type PersonRow } from "#lib/auth/store/people.ts";

export const attemptsBeforeLock = 5;
export const lockMinutes = 15;
const longestAddress = 320;

export type SignIn =
  | { result: "signed_in"; person: PersonRow }
  | { result: "wrong" }
  | { result: "locked"; until: Date }
  | { result: "disabled" };

const unknownAddresses: AddressLocks = openAddressLocks({ attempts: attemptsBeforeLock, minutes: lockMinutes });

/**
 * Signs in with e-mail and password. Five wrong passwords lock for 15 minutes. An address that is nobody's is answered
 * like one that is somebody's, lock included, and after the same work.
 */
export async function signInWithPassword(
  db: Db,
  given: { email: string; password: string },
  served: { demo: boolean },
  now: Date,
): Promise<SignIn> {
  const email = addressOf(given.email);
  const candidates = await findPeopleByEmail(db, email, served);
  if (candidates.length === 0) {
    const until = unknownAddresses.attempt(email, now);
    await verifyPassword(null, given.password);
    return until ? { result: "locked", until } : { result: "wrong" };
  }
  // The same address may belong to the demo and to one's own workspace: the password tells which is meant.
  let refusal: SignIn = { result: "wrong" };
  for (const { passwordHash, ...person } of candidates) {
    const outcome = await tryPerson(db, person, passwordHash, given.password, now);
    if (outcome.result === "signed_in") return outcome;
    if (outcome.result !== "wrong") refusal = outcome;
  }
  return refusal;
}

/** The address as people's are kept; of what can be nobody's, however long, only that it is none. */
function addressOf(given: string): string {
  const email = given.trim().toLowerCase();
  return email.length <= longestAddress && !email.includes("\0") ? email : "";
}

async function tryPerson(
  db: Db,
  person: PersonRow,
  passwordHash: string | null,
  password: string,
  now: Date,
): Promise<SignIn> {
  const lock = new Date(now.getTime() + lockMinutes * 60_000);
  const attempt = await countAttempt(db, person, { attempts: attemptsBeforeLock, lockedUntil: lock, now });
  const matches = await verifyPassword(attempt ? passwordHash : null, password);
  if (attempt === null) return { result: "locked", until: (await lockedUntil(db, person)) ?? lock };
  if (!matches) return attempt.lockedUntil ? { result: "locked", until: attempt.lockedUntil } : { result: "wrong" };
  // Said only to who knows the password.
  if (person.disabled) return { result: "disabled" };
  await markSignedIn(db, person, now);
  return { result: "signed_in", person };
}
