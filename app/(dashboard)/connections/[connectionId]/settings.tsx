"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useState } from "react";
import { ApiError } from "#app/_queries/client.ts";
import {
  archiveConnection,
  connectionQueries,
  deleteConnection,
  disconnectConnection,
  patchConnection,
  syncConnection,
} from "#app/_queries/connections.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Section } from "#app/_ui/section.tsx";
import { TextField } from "#app/_ui/text-field.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Connection, ConnectionPatch, SyncMode } from "#lib/connections/shapes.ts";
import { ChangeLogin } from "./change-login.tsx";

/** Name, pace, pause, login, and the way out: disconnect, archive, delete, in that order. */
export function ConnectionSettings({ connection }: { connection: Connection }) {
  const { user } = useSession();
  if (user.role !== "admin") return <p className="text-muted">Administrators change the settings of a connection.</p>;
  const disconnected = connection.state === "disconnected" || connection.state === "archived";
  return (
    <div className="flex max-w-2xl flex-col gap-8">
      {!disconnected && <Pace connection={connection} />}
      {!disconnected && <Reread connection={connection} />}
      <ChangeLogin connection={connection} disconnected={disconnected} />
      <WayOut connection={connection} />
    </div>
  );
}

function usePatch(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (patch: ConnectionPatch) => patchConnection(id, patch),
    onSuccess: () => toast.success("Saved."),
    onSettled: () => client.invalidateQueries({ queryKey: connectionQueries.all() }),
  });
}

function Pace({ connection }: { connection: Connection }) {
  const [name, setName] = useState(connection.name);
  const [interval, setInterval] = useState(String(connection.syncIntervalMinutes));
  const [historyDays, setHistoryDays] = useState(String(connection.historyDays));
  const [eventHistoryDays, setEventHistoryDays] = useState(String(connection.eventHistoryDays));
  const patch = usePatch(connection.id);
  const error = patch.error instanceof ApiError ? patch.error : null;
  const about = (path: string) => error?.about(path) ?? undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    patch.mutate({
      name,
      syncIntervalMinutes: Number(interval),
      historyDays: Number(historyDays),
      eventHistoryDays: Number(eventHistoryDays),
    });
  };
  const number = { inputMode: "numeric" as const, required: true };
  return (
    <Section title="Name and pace">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Name" value={name} onChange={setName} error={about("name")} required />
        <TextField
          label="Minutes between syncs"
          hint="5 to 1,440"
          value={interval}
          onChange={setInterval}
          error={about("syncIntervalMinutes")}
          {...number}
        />
        <TextField
          label="Days of tickets"
          hint="0 reads everything. More days than now open a backfill of the gap."
          value={historyDays}
          onChange={setHistoryDays}
          error={about("historyDays")}
          {...number}
        />
        <TextField
          label="Days of ticket events"
          hint="Before them, moments on the timeline are derived from the tickets themselves."
          value={eventHistoryDays}
          onChange={setEventHistoryDays}
          error={about("eventHistoryDays")}
          {...number}
        />
        {error && error.details.length === 0 && <Notice kind="failure" announce title={error.message} />}
        <div>
          <Button type="submit" busy={patch.isPending}>
            Save
          </Button>
        </div>
      </form>
      <TimedPause connection={connection} />
    </Section>
  );
}

/** A pause that ends by itself; what was missed meanwhile is read then (T-38). */
function TimedPause({ connection }: { connection: Connection }) {
  const patch = usePatch(connection.id);
  const pauseFor = (hours: number) =>
    patch.mutate({ paused: true, pausedUntil: new Date(Date.now() + hours * 3_600_000).toISOString() });
  return (
    <div className="mt-4 flex flex-wrap items-center gap-2 text-table">
      <span className="text-muted">Pause for</span>
      {[1, 4, 24].map((hours) => (
        <Button key={hours} size="sm" disabled={patch.isPending} onClick={() => pauseFor(hours)}>
          {hours === 1 ? "1 hour" : `${hours} hours`}
        </Button>
      ))}
      {connection.pausedUntil && <span className="text-muted">Resumes by itself; the gap is filled then.</span>}
    </div>
  );
}

function Reread({ connection }: { connection: Connection }) {
  const client = useQueryClient();
  const sync = useMutation({
    mutationFn: (mode: SyncMode) => syncConnection(connection.id, mode),
    onSuccess: () => toast.info("It was asked for; follow it under Runs."),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: () => client.invalidateQueries({ queryKey: connectionQueries.all() }),
  });
  const paused = connection.state === "paused";
  return (
    <Section title="Read again" description="Beside the stored rows: no table is emptied, the numbers stay.">
      <div className="flex flex-wrap gap-2">
        <Button disabled={paused} busy={sync.isPending} onClick={() => sync.mutate("reconcile")}>
          Check the past year
        </Button>
        <Button disabled={paused} busy={sync.isPending} onClick={() => sync.mutate("full")}>
          Read everything again
        </Button>
      </div>
      {paused && <p className="mt-2 text-table text-muted">Paused: nothing is read until it is resumed.</p>}
    </Section>
  );
}

function WayOut({ connection }: { connection: Connection }) {
  const client = useQueryClient();
  const router = useRouter();
  const refresh = () => client.invalidateQueries({ queryKey: connectionQueries.all() });
  const leave = async (data: "keep" | "purge") => {
    await deleteConnection(connection.id, data);
    router.push("/connections");
    await refresh();
  };
  const isOpen = connection.state !== "disconnected" && connection.state !== "archived";
  return (
    <Section title="Leave" description="In this order: disconnect, archive, delete.">
      <div className="flex flex-wrap gap-2">
        <ConfirmDialog
          trigger={<Button disabled={!isOpen}>Disconnect</Button>}
          title={`Disconnect ${connection.name}?`}
          confirmLabel="Disconnect"
          danger
          onConfirm={async () => {
            await disconnectConnection(connection.id);
            await refresh();
          }}
        >
          Reading stops, the login is revoked and destroyed. What was read stays, and you can reconnect.
          <StoppedDestinations connectionId={connection.id} />
        </ConfirmDialog>
        <ConfirmDialog
          trigger={<Button disabled={connection.state !== "disconnected"}>Archive</Button>}
          title={`Archive ${connection.name}?`}
          confirmLabel="Archive"
          onConfirm={async () => {
            await archiveConnection(connection.id);
            await refresh();
          }}
        >
          It is put away; its rows still count until it is deleted with them.
        </ConfirmDialog>
        <ConfirmDialog
          trigger={<Button disabled={connection.state !== "archived"}>Delete, keep the rows</Button>}
          title={`Delete ${connection.name} and keep what it read?`}
          confirmLabel="Delete"
          danger
          onConfirm={() => leave("keep")}
        >
          The connection goes; tickets, metrics and timelines stay as they are.
        </ConfirmDialog>
        <ConfirmDialog
          trigger={
            <Button variant="danger" disabled={connection.state !== "archived"}>
              Delete with all rows
            </Button>
          }
          title={`Delete ${connection.name} and everything it read?`}
          confirmLabel="Delete everything"
          danger
          typeToConfirm={connection.subdomain}
          onConfirm={() => leave("purge")}
        >
          Tickets, events, users, organizations and ratings of this Zendesk are erased here, and every number changes.
          Nothing changes in Zendesk.
        </ConfirmDialog>
      </div>
    </Section>
  );
}

/** What stops writing with a connection: the destinations through it that are on. */
function StoppedDestinations({ connectionId }: { connectionId: string }) {
  const { data: destinations } = useQuery(destinationQueries.list());
  if (!destinations) return " Destinations that are on upon it stop writing, too.";
  const on = destinations.items.filter((one) => one.connectionId === connectionId && one.state === "on");
  if (on.length === 0) return null;
  const names = on.map(({ name }) => `“${name}”`).join(", ");
  const [are, them] = on.length === 1 ? ["is on and stops", "it"] : ["are on and stop", "them"];
  return (
    <strong className="mt-2 block font-medium text-ink">
      {names} {are} writing; what comes for {them} is kept queued until you reconnect.
    </strong>
  );
}
