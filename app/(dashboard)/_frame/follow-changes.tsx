"use client";

import { type Query, type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { accountQueries } from "#app/_queries/accounts.ts";
import { changesQuery } from "#app/_queries/changes.ts";
import { connectionQueries } from "#app/_queries/connections.ts";
import { noticeQueries } from "#app/_queries/notices.ts";

/**
 * Keeps open screens true: when the version of the workspace has changed, what they show is asked again, the old shown
 * meanwhile. One asking at a time: a change that comes during it is followed after it, so a slow server is not pressed.
 */
export function FollowChanges() {
  const client = useQueryClient();
  const { data, isError } = useQuery(changesQuery());
  const version = data?.version;
  const [followed, setFollowed] = useState<{ version?: string }>({});
  const asking = useRef(false);
  const missed = useRef(false);
  useEffect(() => {
    // What was asked for during a silence has failed, whatever the version is after it.
    if (isError) missed.current = true;
    if (isError || version === undefined || asking.current) return;
    if (version === followed.version && !missed.current) return;
    if (followed.version === undefined) {
      setFollowed({ version });
      return;
    }
    asking.current = true;
    missed.current = false;
    void askAgain(client).finally(() => {
      asking.current = false;
      setFollowed({ version });
    });
  }, [version, isError, followed, client]);
  return null;
}

/** What is on the screen is fetched now; what is not, when it is shown next. */
function askAgain(client: QueryClient): Promise<unknown> {
  const keys = [accountQueries.all(), accountQueries.feeds(), connectionQueries.all(), noticeQueries.all()];
  // A preview answers what a person is about to save, not what happened, and costs a whole matching.
  const predicate = ({ queryKey }: Query) => !queryKey.includes("preview");
  return Promise.allSettled(keys.map((queryKey) => client.invalidateQueries({ queryKey, predicate })));
}
