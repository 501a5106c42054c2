"use client";

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { parseAsString, useQueryState } from "nuqs";
import { connectionQueries, syncConnection } from "#app/_queries/connections.ts";
import { ledgerQueries } from "#app/_queries/ledger.ts";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { DriftRun } from "#lib/connections/shapes.ts";
import { CheckPanel } from "./check-panel.tsx";
import { CheckTable } from "./check-table.tsx";

/** What each check of the past found and repaired, newest first; one opens beside it. */
export function Ledger({ connectionId }: { connectionId: string }) {
  const [open, setOpen] = useQueryState("check", parseAsString);
  const runs = useInfiniteQuery(ledgerQueries.runs(connectionId));
  const items = runs.data?.pages.flatMap((page) => page.items);
  const opened = open === null ? null : ((items && openedOf(items, open)) ?? null);
  return (
    <div className="flex max-w-5xl flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="min-w-0 flex-1 basis-60 text-table text-muted">
          Every night what is stored of the past year is compared with Zendesk, row by row; what differs is repaired.
        </p>
        <CheckNow connectionId={connectionId} />
      </div>
      <QueryStates
        query={{ ...runs, data: items }}
        what="the checks"
        skeleton={<SkeletonLines lines={8} />}
        isEmpty={(list) => list.length === 0}
        empty={
          <Empty kind="none" title="The past was never checked">
            Whether the stored rows still equal Zendesk’s is not known until the first check is through.
          </Empty>
        }
      >
        {(list) => <CheckTable checks={list} onOpen={(runId) => void setOpen(runId, { history: "push" })} />}
      </QueryStates>
      {runs.hasNextPage && (
        <div>
          <Button variant="ghost" busy={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
            Show earlier
          </Button>
        </div>
      )}
      {opened && <CheckPanel connectionId={connectionId} check={opened} onClose={() => void setOpen(null)} />}
    </div>
  );
}

/** `latest` is what a link says that knows no run: the newest that went through. */
function openedOf(checks: readonly DriftRun[], wanted: string): DriftRun | undefined {
  return checks.find(({ runId, state }) => (wanted === "latest" ? state === "succeeded" : runId === wanted));
}

function CheckNow({ connectionId }: { connectionId: string }) {
  const { user } = useSession();
  const client = useQueryClient();
  const check = useMutation({
    mutationFn: () => syncConnection(connectionId, "reconcile"),
    onSuccess: () => toast.info("The check has started; it goes on beside everything else."),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: () => client.invalidateQueries({ queryKey: connectionQueries.all() }),
  });
  if (user.role === "viewer") return null;
  return (
    <Button busy={check.isPending} onClick={() => check.mutate()}>
      Check the past year now
    </Button>
  );
}
