import { type Destination, mostCounted, type Profile, type Settings } from "#lib/destinations/shapes.ts";
import { isBarred } from "#lib/destinations/store/claims.ts";
import type { DestinationParts, StoredDestination } from "#lib/destinations/store/destinations.ts";
import { settingsIn } from "#lib/destinations/store/parts.ts";
import { instantWords } from "#lib/time-words.ts";

export function presentDestination(row: StoredDestination, parts: DestinationParts): Destination {
  const { connection, sources, counts, doneLastDay, lately, unanswered } = parts;
  const inState = (state: string) => counts.get(state) ?? 0;
  return {
    id: String(row.id),
    name: row.name,
    connection: { id: String(connection.id), name: connection.name, subdomain: connection.subdomain },
    connectionId: String(connection.id),
    sources: sources.map(({ id, name }) => ({ id: String(id), name })),
    sourceIds: sources.map(({ id }) => String(id)),
    profile: row.profile as Profile,
    settings: settingsIn(row),
    enabled: row.enabled,
    state: row.enabled ? (row.stopped_at ? "stopped" : "on") : "off",
    stopped: row.stopped_at && { at: row.stopped_at.toISOString(), by: row.stopped_by },
    blocked: blockedBy(connection),
    failing: failingBy(lately),
    unanswered: unanswered ? noAnswer : null,
    deliveries: {
      queued: Math.min(mostCounted, inState("queued") + inState("sending")),
      unknown: inState("unknown"),
      held: inState("held"),
      failed: inState("failed"),
      doneLastDay,
    },
    testedAt: row.tested_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  };
}

export function settingColumns(settings: Settings) {
  return {
    unknown_user_on_track: settings.unknownUserOnTrack,
    unknown_user_traits: settings.unknownUserTraits,
    unknown_organization_traits: settings.unknownOrganizationTraits,
    associate_on_group: settings.associateOnGroup,
    accept_group_without_user: settings.acceptGroupWithoutUser,
    allow_removals: settings.allowRemovals,
    create_verified: settings.createVerified,
    skip_verify_email: settings.skipVerifyEmail,
  };
}

/** Why nothing can be written through a connection, and what to do about it; null where it can. Pure. */
export function blockedBy(
  connection: Omit<DestinationParts["connection"], "id" | "subdomain">,
): Destination["blocked"] {
  const { name, state, access, paused_until: pausedUntil } = connection;
  if (state === "paused") {
    const until = pausedUntil ? ` until ${instantWords(pausedUntil)}` : "";
    const fix = "What comes is kept queued until reading resumes. Resume the connection to send it now.";
    return { code: "paused", reason: `“${name}” is paused${until}: nothing is read and nothing is sent.`, fix };
  }
  if (state === "disconnected" || state === "archived") {
    const fix = "Reconnect it: what is queued is sent then. Or delete the destination.";
    return { code: "disconnected", reason: `“${name}” is ${state}: nothing is sent.`, fix };
  }
  if (isBarred({ state, failureCode: connection.failure_code })) {
    const reason = connection.failure_message ?? `“${name}” cannot be reached.`;
    return { code: "login", reason, fix: connection.failure_action ?? "Sign in again." };
  }
  if (access === "read_write") return null;
  return { code: "read_only", reason: `“${name}” may only be read.`, fix: grantWriting };
}

/** Fewer in a day, or one among many, are for whoever reads the log. */
const manyFailed = { least: 10, oneIn: 10 };

function failingBy({ made, failed }: DestinationParts["lately"]): Destination["failing"] {
  if (failed < manyFailed.least || failed * manyFailed.oneIn < made) return null;
  return {
    reason: "Many of its writes of the last day have failed and wait as dead letters.",
    fix: "Read why under Dead letters, and mend the cause; then replay them, or discard what is not wanted any more.",
  };
}

const noAnswer = {
  reason: "Zendesk does not answer what is to be written.",
  fix: "Nothing is lost: what waits is tried again by itself, at least every quarter of an hour. If it lasts, look at status.zendesk.com and at this server's way to the internet.",
};

/** How a connection gets the right to write, which is asked for apart from reading: on the screen, by the buttons beside it. */
export const grantWriting =
  "An administrator grants it: under Destinations press “Grant writing” (or “Ask Zendesk for writing”) beside the connection, and sign in once more.";
