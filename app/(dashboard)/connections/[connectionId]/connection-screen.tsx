"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pause, Play, RefreshCw } from "lucide-react";
import { parseAsStringLiteral, useQueryState } from "nuqs";
import { useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import { connectionQueries, patchConnection, syncConnection } from "#app/_queries/connections.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { Gone } from "#app/_ui/empty.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Link } from "#app/_ui/link.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { Tabs } from "#app/_ui/tabs.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useUnsaved } from "#app/(dashboard)/_frame/leave-guard.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Connection } from "#lib/connections/shapes.ts";
import { connectionWords } from "../connection-words.ts";
import { Doctor } from "./doctor/doctor.tsx";
import { Held, heldCount } from "./held/held.tsx";
import type { Rung } from "./key-ladder.tsx";
import { Ledger } from "./ledger/ledger.tsx";
import { Matching } from "./matching.tsx";
import { Overview } from "./overview.tsx";
import { Runs } from "./runs.tsx";
import { ConnectionSettings } from "./settings.tsx";

const tabs = ["overview", "doctor", "checks", "held", "runs", "matching", "settings"] as const;
const back = { href: "/connections", label: "Connections" };

/** One connection: how it stands, what the doctor and the checks found, what is held, its runs, matching and settings. */
export function ConnectionScreen({ id }: { id: string }) {
  const { user } = useSession();
  const [tab, setTab] = useQueryState("tab", parseAsStringLiteral(tabs).withDefault("overview"));
  const [ladder, setLadder] = useState<readonly Rung[] | null>(null);
  useUnsaved(ladder !== null);
  const connection = useQuery(connectionQueries.one(id));
  if (connection.error instanceof ApiError && connection.error.status === 404) {
    return (
      <Screen title="Connection" back={back}>
        <Gone title="This connection does not exist" action={<Link href="/connections">All connections</Link>} />
      </Screen>
    );
  }
  const loaded = connection.data;
  const { status, words } = loaded ? connectionWords[loaded.state] : { status: "unknown" as const, words: "" };
  return (
    <Screen
      title={loaded?.name ?? "Connection"}
      detail={loaded && <StatusDot status={status}>{words}</StatusDot>}
      back={back}
      actions={loaded && user.role !== "viewer" && <SyncButtons connection={loaded} admin={user.role === "admin"} />}
    >
      <QueryStates query={connection} what="the connection" skeleton={<SkeletonLines lines={10} />}>
        {(value) => (
          <Tabs
            label="About the connection"
            value={tab}
            onChange={(next) => void setTab(next as (typeof tabs)[number])}
            tabs={[
              { value: "overview", label: "Status", content: <Overview connection={value} /> },
              { value: "doctor", label: "Doctor", content: <Doctor connectionId={id} /> },
              { value: "checks", label: "Past checks", content: <Ledger connectionId={id} /> },
              { value: "held", label: "Held", count: heldCount(value), content: <Held connection={value} /> },
              { value: "runs", label: "Runs", content: <Runs id={id} paused={value.state === "paused"} /> },
              {
                value: "matching",
                label: "Matching",
                count: value.matching.unmatched + value.matching.ambiguous,
                content: <Matching connection={value} draft={ladder} onDraft={setLadder} />,
              },
              { value: "settings", label: "Settings", content: <ConnectionSettings connection={value} /> },
            ]}
          />
        )}
      </QueryStates>
    </Screen>
  );
}

function SyncButtons({ connection, admin }: { connection: Connection; admin: boolean }) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: connectionQueries.all() });
  const onError = (error: Error) => toast.error(reasonOf(error));
  const sync = useMutation({
    mutationFn: () => syncConnection(connection.id, "incremental"),
    onSuccess: () => toast.info("The sync was asked for; follow it under Runs."),
    onError,
    onSettled: refresh,
  });
  const pause = useMutation({
    mutationFn: (paused: boolean) => patchConnection(connection.id, { paused }),
    onError,
    onSettled: refresh,
  });
  if (connection.state === "disconnected" || connection.state === "archived") return null;
  const paused = connection.state === "paused";
  return (
    <>
      {admin && (
        <Button onClick={() => pause.mutate(!paused)} busy={pause.isPending}>
          {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
          {paused ? "Resume" : "Pause"}
        </Button>
      )}
      <Button
        variant="primary"
        onClick={() => sync.mutate()}
        busy={sync.isPending}
        disabled={paused}
        aria-describedby={paused ? "why-no-sync" : undefined}
      >
        <RefreshCw aria-hidden />
        Sync now
      </Button>
      {paused && (
        <span id="why-no-sync" className="text-table text-muted">
          {admin ? "Paused: resume it to sync." : "Paused: an administrator resumes it."}
        </span>
      )}
    </>
  );
}
