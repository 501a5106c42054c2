"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { connectionQueries, type HeldRow } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { Section } from "#app/_ui/section.tsx";
import { Select } from "#app/_ui/select.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Connection, StreamName } from "#lib/connections/shapes.ts";

import { streamTitles } from "#lib/connections/shapes.ts";
import { HeldRowItem } from "./held-row-item.tsx";
import { useRetry } from "./use-retry.ts";
import { useSetAside } from "./use-set-aside.ts";

const EVERY = "every";

/** The quarantine: rows that could not be stored, or not wholly, each with its reason and its raw text, and another try; those that were set aside stand apart. */
export function HeldRows({ connection }: { connection: Connection }) {
  const { user } = useSession();
  const count = useCount();
  const [stream, setStream] = useState<StreamName | null>(null);
  const admin = user.role === "admin";
  const held = useInfiniteQuery({ ...connectionQueries.held(connection.id, stream), enabled: admin });
  const items = held.data?.pages.flatMap((page) => page.items);
  const retry = useRetry(connection.id);
  const setAside = useSetAside(connection.id);
  const rows = (label: string, list: HeldRow[]) => (
    <ul aria-label={label} className="divide-y divide-line border-b border-line text-table">
      {list.map((row) => (
        <HeldRowItem
          key={`${row.stream}/${row.key}`}
          connectionId={connection.id}
          row={row}
          retry={retry}
          setAside={setAside}
        />
      ))}
    </ul>
  );
  const holding = connection.streams.filter((one) => one.held > 0);
  const sum = holding.reduce((rows, one) => rows + one.held, 0);
  const allLabel = stream ? `Try all of ${streamTitles[stream].toLowerCase()} again` : "Try all again";
  return (
    <Section
      anchor="held"
      title="Not stored, or not wholly"
      description="Kept as they came; the stream goes on. Every later version is tried by itself. What never will be corrected can be set aside."
      actions={
        admin &&
        sum > 0 && (
          <>
            {holding.length > 1 && (
              <Select
                label="Stream"
                labelHidden
                inline
                value={stream ?? EVERY}
                onChange={(value) => setStream(value === EVERY ? null : (value as StreamName))}
                options={[
                  { value: EVERY, label: "Every stream" },
                  ...holding.map((one) => ({
                    value: one.name,
                    label: streamTitles[one.name],
                    detail: count(one.held),
                  })),
                ]}
              />
            )}
            <Button busy={retry.isPending} onClick={() => retry.mutate(stream ? { stream } : {})}>
              {allLabel}
            </Button>
          </>
        )
      }
    >
      {!admin ? (
        <p className="text-table text-muted">
          {sum === 0
            ? "No row is held."
            : `${holding.map((one) => `${count(one.held)} of ${streamTitles[one.name].toLowerCase()}`).join(", ")}. Administrators see what they hold.`}
        </p>
      ) : (
        <QueryStates
          query={{ ...held, data: items }}
          what="the held rows"
          skeleton={<SkeletonLines lines={4} />}
          isEmpty={(list) => list.length === 0}
          empty={<p className="text-table text-muted">No row is held: everything that came could be stored.</p>}
        >
          {(list) => {
            const [held, aside] = [list.filter((row) => !row.setAside), list.filter((row) => row.setAside)];
            return (
              <>
                {held.length > 0
                  ? rows("Held rows", held)
                  : sum === 0 && <p className="text-table text-muted">No other row is held.</p>}
                {aside.length > 0 && (
                  <>
                    <h3 className="mt-6 font-medium text-table">Set aside</h3>
                    <p className="text-small text-muted">
                      No doubt about their stream, until they come again with other content.
                    </p>
                    {rows("Rows set aside", aside)}
                  </>
                )}
              </>
            );
          }}
        </QueryStates>
      )}
      {held.hasNextPage && (
        <div className="mt-2">
          <Button variant="ghost" busy={held.isFetchingNextPage} onClick={() => void held.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Section>
  );
}
