"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { ledgerQueries } from "#app/_queries/ledger.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { UnusualShare } from "./unusual-share.tsx";

/** That the newest check of the past found an unusual share of the stored rows to differ; nothing where it did not. */
export function UnusualCheck({ connectionId }: { connectionId: string }) {
  const runs = useInfiniteQuery(ledgerQueries.runs(connectionId));
  const newest = runs.data?.pages[0]?.items.find(({ state }) => state === "succeeded");
  const streams = newest?.streams.filter(({ unusual }) => unusual) ?? [];
  if (!newest || streams.length === 0) return null;
  return (
    <Notice
      kind="warning"
      title="An unusual share of the rows differed when the past was last checked."
      actions={<Link href={`/connections/${connectionId}?tab=checks&check=${newest.runId}`}>Show the check</Link>}
    >
      {streams.map((stream) => (
        <p key={stream.stream}>
          <UnusualShare of={stream} />
        </p>
      ))}
      So many may come from a bulk change in Zendesk, or from a fault here: look at what differed.
    </Notice>
  );
}
