"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Stethoscope } from "lucide-react";
import { doctorQuery, runDoctor } from "#app/_queries/doctor.ts";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { DoctorCheck, DoctorReport } from "#lib/connections/shapes.ts";
import { CheckRow } from "./check-row.tsx";

const severity = { failure: 0, warning: 1, unknown: 2, ok: 3 } as const;

/** Every check of the connection: what was found and what to do about it. Old findings stay while new ones are made. */
export function Doctor({ connectionId }: { connectionId: string }) {
  const { user } = useSession();
  const client = useQueryClient();
  const report = useQuery(doctorQuery(connectionId));
  const run = useMutation({
    mutationFn: () => runDoctor(connectionId),
    onSuccess: (found) => client.setQueryData(doctorQuery(connectionId).queryKey, found),
  });
  const ask = user.role === "admin" && (
    <Button variant="primary" busy={run.isPending} onClick={() => run.mutate()}>
      <Stethoscope aria-hidden />
      Run all checks
    </Button>
  );
  return (
    <div className="flex max-w-5xl flex-col gap-3">
      <QueryStates
        query={report}
        what="the findings"
        skeleton={<SkeletonLines lines={12} />}
        isEmpty={({ checks }) => checks.length === 0}
        empty={
          <Empty kind="none" title="Nothing is checked yet" action={ask}>
            {ask ? "The checks ask Zendesk and take a few seconds." : "An administrator can run the checks."}
          </Empty>
        }
      >
        {(found) => (
          <>
            <div className="mb-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
              <p role="status" className="min-w-0 text-table">
                {run.isPending ? "Asking Zendesk; until it answers, these are the findings of before." : sumOf(found)}{" "}
                {!run.isPending && found.checkedAt && (
                  <span className="text-muted">
                    · <RelativeTime at={found.checkedAt} />
                  </span>
                )}
              </p>
              {ask}
            </div>
            {run.error && (
              <Notice kind="failure" announce className="mb-2" title={reasonOf(run.error)}>
                What was found before is still shown.
              </Notice>
            )}
            <ul aria-label="Checks" className="divide-y divide-line border-y border-line">
              {inOrder(found.checks).map((check) => (
                <CheckRow key={check.key} check={check} connectionId={connectionId} reportedAt={found.checkedAt} />
              ))}
            </ul>
          </>
        )}
      </QueryStates>
    </div>
  );
}

/** What needs somebody comes first; otherwise the doctor's own order. */
const inOrder = (checks: readonly DoctorCheck[]) => checks.toSorted((a, b) => severity[a.state] - severity[b.state]);

function sumOf({ checks }: DoctorReport): string {
  const count = (state: DoctorCheck["state"]) => checks.filter((check) => check.state === state).length;
  const parts = [
    { n: count("failure"), words: "failing" },
    { n: count("warning"), words: "to watch" },
    { n: count("unknown"), words: "not known" },
    { n: count("ok"), words: "in order" },
  ];
  return parts
    .filter(({ n }) => n > 0)
    .map(({ n, words }) => `${n} ${words}`)
    .join(", ");
}
