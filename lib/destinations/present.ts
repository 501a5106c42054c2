import type { Destination, Profile, Settings } from "#lib/destinations/shapes.ts";
import { isBarred } from "#lib/destinations/store/claims.ts";
import { type DestinationParts, mostCounted, type StoredDestination } from "#lib/destinations/store/destinations.ts";
import { settingsIn } from "#lib/destinations/store/parts.ts";

export function presentDestination(row: StoredDestination, parts: DestinationParts): Destination {
  const { connection, sources, counts, doneLastDay } = parts;
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

function blockedBy(connection: DestinationParts["connection"]): Destination["blocked"] {
  const { name, state, access } = connection;
  if (state === "paused") {
    return { reason: `“${name}” is paused: nothing is read and nothing is sent.`, fix: "Resume the connection." };
  }
  if (state === "disconnected" || state === "archived") {
    const fix = "Reconnect it: what is queued is sent then. Or delete the destination.";
    return { reason: `“${name}” is ${state}: nothing is sent.`, fix };
  }
  if (isBarred({ state, failureCode: connection.failure_code })) {
    const reason = connection.failure_message ?? `“${name}” cannot be reached.`;
    return { reason, fix: connection.failure_action ?? "Sign in again." };
  }
  return access === "read_write" ? null : { reason: `“${name}” may only be read.`, fix: grantWriting };
}

/** How a connection gets the right to write, which is asked for apart from reading. */
export const grantWriting =
  "Grant writing: sign in again with write access on the connection's page (PATCH /api/v1/connections/{id} with access read_write and auth, or the connect button with access=read_write).";
