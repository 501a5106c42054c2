"use client";

import { useQuery } from "@tanstack/react-query";
import { changesQuery } from "#app/_queries/changes.ts";
import { ApiError } from "#app/_queries/client.ts";
import { reasonOf } from "#app/_ui/error-state.tsx";

/** That the server answers nothing, so that what is shown may be old by now. */
export interface Silence {
  /** The last answer; null where there was none. */
  since: Date | null;
  reason: string;
  /** It answers, and wants a sign-in first. */
  signedOut: boolean;
}

/** Null while the server answers. */
export function useSilence(): Silence | null {
  // It is asked by `FollowChanges`.
  const { isError, error, errorUpdateCount, dataUpdatedAt } = useQuery({ ...changesQuery(), enabled: false });
  // Where it has never answered, the library forgets the failure while it asks again.
  const isSilent = isError || (dataUpdatedAt === 0 && errorUpdateCount > 0);
  if (!isSilent) return null;
  return {
    since: dataUpdatedAt === 0 ? null : new Date(dataUpdatedAt),
    reason: error ? reasonOf(error) : "The server does not answer.",
    signedOut: error instanceof ApiError && error.status === 401,
  };
}
