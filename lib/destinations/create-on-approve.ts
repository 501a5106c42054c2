import type { Command } from "#lib/destinations/attempt.ts";
import { flagOf, personOf } from "#lib/destinations/procedures/command-fields.ts";

/** Whether a person's word creates the user for want of whom a delivery failed: it has what a new one needs (C-31). */
export function couldCreateUser({
  state,
  code,
  command,
}: {
  state: string;
  code: string | null;
  command: Command;
}): boolean {
  if (state !== "failed" || code !== "user_not_found" || flagOf(command, "remove") === true) return false;
  const people = (["user.", "requester."] as const).map((prefix) => personOf(command, prefix));
  return people.some(({ id, email }) => id === null && email !== null);
}
