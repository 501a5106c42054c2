import type { Profile, Settings } from "#lib/destinations/shapes.ts";

/**
 * What a profile presets, where the two kinds of sender disagree (X-1 … ). Both skip the verification mail
 * (row 101); an administrator may change each setting afterwards.
 */
export const presets: Record<Profile, Settings> = {
  customerio: {
    unknownUserOnTrack: "error",
    unknownUserTraits: "discard",
    unknownOrganizationTraits: "create",
    associateOnGroup: true,
    acceptGroupWithoutUser: true,
    allowRemovals: true,
    createVerified: false,
    skipVerifyEmail: true,
  },
  rudderstack: {
    unknownUserOnTrack: "create",
    unknownUserTraits: "create",
    unknownOrganizationTraits: "create",
    associateOnGroup: true,
    acceptGroupWithoutUser: false,
    allowRemovals: false,
    createVerified: false,
    skipVerifyEmail: true,
  },
};

/** The settings that hold: the profile's, with what was set otherwise. */
export function settingsOf(profile: Profile, overrides: Partial<Settings> = {}): Settings {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  return { ...presets[profile], ...(Object.fromEntries(given) as Partial<Settings>) };
}
