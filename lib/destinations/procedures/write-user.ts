import { bodyOf, changesOf, intentOf, leavingNewer, type Wanted } from "#lib/destinations/procedures/changes.ts";
import { nameOf, type Person } from "#lib/destinations/procedures/command-fields.ts";
import type { FieldValue } from "#lib/destinations/procedures/custom-fields.ts";
import { describe, findUser, hasOtherExternalId, noUser } from "#lib/destinations/procedures/find-user.ts";
import { idIn, isSameText, isTaken } from "#lib/destinations/procedures/rows.ts";
import { addTags } from "#lib/destinations/procedures/tags.ts";
import { fail, hold, isApproved, type Task, waitForSearch } from "#lib/destinations/procedures/task.ts";
import { hasZone, zendeskZone } from "#lib/destinations/procedures/time-zones.ts";
import type { Settings } from "#lib/destinations/shapes.ts";
import type { Answer } from "#lib/zendesk/answers.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** What there is to write of a user beside their names. */
export interface UserValues {
  /** `details`, `notes`, `alias`, `locale`. */
  texts: Record<string, string | null>;
  tags: string[];
  fields: ReadonlyMap<string, FieldValue>;
}

export const noValues: UserValues = { texts: {}, tags: [], fields: new Map() };

/** A user, and whether it was made just now. */
export interface WrittenUser {
  user: Wire;
  id: string;
  isNew: boolean;
}

const creation = "create user";

/**
 * The user, as one is found, or made where the settings or a person's word allow it (X-1, C-31). An agent's or a stranger's
 * record is never changed.
 */
export async function findOrCreateUser(task: Task, person: Person): Promise<WrittenUser> {
  const user = await findUser(task, person);
  if (user) return { user, id: String(idIn(user)), isNew: false };
  const mayCreate = task.settings.unknownUserOnTrack === "create" || isApproved(task, "user_not_found");
  if (!mayCreate || person.email === null) return noUser(task, person, { couldBeApproved: person.email !== null });
  const created = await createUser(task, person, noValues, { standIn: standInOf(person) });
  if (created.isNew && person.name === null)
    task.notes.push("The new user has their e-mail for a name: the event had none.");
  return created;
}

/** What of a person has to be known to create a user (C-13, C-14), and is not; null where nothing lacks. */
export function lackingToCreate({ name, email }: Person): "email" | "name" | null {
  return email === null ? "email" : name === null ? "name" : null;
}

/** Throws for a person of whom too little is known to create a user. */
export function requireCreatable(person: Person): { name: string; email: string } {
  const { name, email } = person;
  const lacking = lackingToCreate(person);
  if (lacking === null) return { name: name as string, email: email as string };
  return lacking === "email"
    ? fail(
        "missing_email",
        `Zendesk has no user with ${nameOf(person)}, and without an e-mail none is created.`,
        "Send traits.email with the identify, then replay this.",
      )
    : fail(
        "missing_name",
        `Zendesk has no user with ${nameOf(person)}, and without a name none can be created.`,
        "Send traits.name, or first_name and last_name, with the identify; then replay this.",
      );
}

/** What a new user is called of whom no name is known, where the event is not about the user. */
export const standInOf = ({ email }: Person): string | null => email;

/** What goes along when a user is created, and is written to nobody who is there (C-24 … C-27, R-7). */
export function onCreation({ createVerified, skipVerifyEmail }: Settings): Wanted[] {
  return [
    { field: "role", value: "end-user" },
    { field: "verified", value: createVerified },
    { field: "skip_verify_email", value: skipVerifyEmail },
  ];
}

/**
 * Creates the user. Where somebody else was faster, or an earlier try was, theirs is found and brought up to date. `standIn`:
 * the name of a new user of whom none is known; one who is there keeps theirs.
 */
export async function createUser(
  task: Task,
  person: Person,
  values: UserValues,
  { standIn = null }: { standIn?: string | null } = {},
): Promise<WrittenUser> {
  const { name, email } = requireCreatable({ ...person, name: person.name ?? standIn });
  const { externalId } = person;
  const identity = [
    { field: "name", value: name },
    { field: "email", value: email },
  ];
  if (externalId !== null) identity.push({ field: "external_id", value: externalId });
  const own = wantedOf(task, person, values, {}).filter(({ field }) => field !== "name");
  const tags = values.tags.length > 0 ? [{ field: "tags", value: values.tags }] : [];
  const wanted = [...identity, ...own, ...tags, ...onCreation(task.settings)];
  try {
    const answer = await sparingZone(task, wanted, (sent) =>
      task.zendesk.write(
        creation,
        "POST",
        "/api/v2/users",
        { user: bodyOf(sent) },
        {
          expect: "user",
          intent: intentOf("create", `user ${email}`, null, sent),
          supposed: { user: { id: 0, ...bodyOf(sent) } },
        },
      ),
    );
    const user = (answer?.body.user ?? {}) as Wire;
    const id = String(idIn(user));
    task.result = { kind: "user", id };
    return { user, id, isNew: true };
  } catch (error) {
    if (!isTaken(error)) throw error;
    return takenUser(task, person, values, error.message);
  }
}

/** Zendesk knows the e-mail or the external id already: the user is looked up anew, until the search knows it too. */
async function takenUser(task: Task, person: Person, values: UserValues, why: string): Promise<WrittenUser> {
  const user = await findUser(task, person);
  if (user) return updateUser(task, user, person, values);
  waitForSearch(task, creation, "user_not_searchable", "Zendesk has this user, but its search does not find them yet.");
  return hold(
    "user_taken",
    `Zendesk says that ${nameOf(person)} is taken, and shows no user who has it: ${why}`,
    "Look in Zendesk for a deleted or suspended user with this e-mail or external id; then approve to try again.",
  );
}

/** Writes the differences, and nothing else. The e-mail, the role and the organizations of a user are not touched. */
export async function updateUser(task: Task, user: Wire, person: Person, values: UserValues): Promise<WrittenUser> {
  const id = String(idIn(user));
  const written = { user, id, isNew: false };
  task.result = { kind: "user", id };
  refuseAgent(user);
  const wanted = [...identityOf(task, user, person), ...wantedOf(task, person, values, user)];
  const changes = leavingNewer(task, changesOf(user, wanted));
  if (changes.length > 0) {
    const path = `/api/v2/users/${id}`;
    const setsEmail = changes.some(({ field }) => field === "email");
    const skipped = setsEmail ? [{ field: "skip_verify_email", value: task.settings.skipVerifyEmail }] : [];
    try {
      await sparingZone(task, [...changes, ...skipped], (sent) =>
        task.zendesk.write(
          "update user",
          "PUT",
          path,
          { user: bodyOf(sent) },
          {
            endpoint: "user_update",
            target: id,
            expect: "user",
            intent: intentOf("change", `user ${describe(user)}`, id, sent),
            supposed: { user: { ...user, ...bodyOf(changes) } },
          },
        ),
      );
    } catch (error) {
      if (!isTaken(error)) throw error;
      hold(
        "user_taken",
        `Another user of Zendesk has what was to be written to ${describe(user)}: ${error.message}`,
        "Merge the two in Zendesk if they are one person, or correct the event's userId or e-mail; then approve to try again.",
      );
    }
  }
  await addTags(task, "user", id, user, values.tags);
  return written;
}

/** a time zone that Zendesk refuses, and nothing else, is left out, and the rest is written all the same. */
async function sparingZone<Sent extends Wanted>(
  task: Task,
  wanted: readonly Sent[],
  write: (sent: readonly Sent[]) => Promise<Answer | null>,
): Promise<Answer | null> {
  try {
    return await write(wanted);
  } catch (error) {
    if (!isAboutZone(error)) throw error;
    task.notes.push(`The time zone was left out: Zendesk refuses it (${error.said}).`);
    const rest = wanted.filter(({ field }) => field !== "time_zone");
    return rest.length === 0 ? null : write(rest);
  }
}

function isAboutZone(error: unknown): error is ZendeskError {
  if (!(error instanceof ZendeskError) || error.status !== 422) return false;
  return error.details.length > 0 && error.details.every(({ field }) => field === "time_zone");
}

/** An identify is about a customer: whoever works in Zendesk keeps name, fields and rights as they are there. */
export function refuseAgent(user: Wire): void {
  if (user.role === undefined || user.role === "end-user") return;
  fail(
    "user_is_agent",
    `${describe(user)} is ${user.role === "admin" ? "an administrator" : "an agent"} of this Zendesk: events do not change those.`,
    "Nothing to do. To keep your own team's events out of here, add a condition to the action's trigger.",
  );
}

/** An e-mail that differs would become a further one of the user's; an empty one, or an external id, is filled in. */
function identityOf(task: Task, user: Wire, { id, email, externalId }: Person): Wanted[] {
  const wanted: Wanted[] = [];
  // Whom the Zendesk id names is meant (C-29), and may still be another one than the external id says (row 102).
  if (id !== null && externalId !== null && hasOtherExternalId(user, externalId))
    task.notes.push(
      `The external id stays ${String(user.external_id)}: the user was named by the Zendesk id, and ${externalId} may be somebody else. Change it in Zendesk if it is wrong.`,
    );
  else if (externalId !== null) wanted.push({ field: "external_id", value: externalId });
  if (email === null || isSameText(user.email, email)) return wanted;
  if (user.email === null || user.email === undefined) return [...wanted, { field: "email", value: email }];
  task.notes.push(
    `The e-mail stays ${String(user.email)}: Zendesk would add ${email} as a further address, not replace it. Change it in Zendesk if it is wrong.`,
  );
  return wanted;
}

function wantedOf(task: Task, person: Person, values: UserValues, user: Wire): Wanted[] {
  const texts = { name: person.name, phone: person.phone, ...values.texts };
  return [
    ...Object.entries(texts).flatMap(([field, value]) => (value === null ? [] : [{ field, value }])),
    ...zoneOf(task, person.timeZone, user),
    ...[...values.fields].map(([key, { type, value }]) => ({ field: `user_fields.${key}`, type, value })),
  ];
}

/** a zone that is none is left out, and the rest is kept. */
function zoneOf(task: Task, given: string | null, user: Wire): Wanted[] {
  if (given === null) return [];
  const found = zendeskZone(given);
  if ("zone" in found) return hasZone(user, found.zone) ? [] : [{ field: "time_zone", value: found.zone }];
  task.notes.push(`The time zone was left out: ${found.refused}.`);
  return [];
}
