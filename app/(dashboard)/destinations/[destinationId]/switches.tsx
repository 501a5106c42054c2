"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { OctagonX, Play } from "lucide-react";
import { destinationQueries, patchDestination, startDestination, stopDestination } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Destination } from "#lib/destinations/shapes.ts";

/** Stop, at once and without a question; start again and enable, which write, after one. */
export function Switches({ destination }: { destination: Destination }) {
  const { user } = useSession();
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ queryKey: destinationQueries.all() });
  const { id, name, state, connection, deliveries, testedAt } = destination;
  const stop = useMutation({
    mutationFn: () => stopDestination(id),
    onSuccess: () => toast.success("Stopped: nothing more is sent. What is queued stays queued."),
    onError: (error) => toast.error(reasonOf(error)),
    onSettled: refresh,
  });
  const admin = user.role === "admin";
  if (user.role === "viewer") return null;
  const zendesk = `${connection.subdomain}.zendesk.com`;
  return (
    <>
      {state === "off" && admin && (
        <ConfirmDialog
          trigger={
            <Button variant="primary">
              <Play aria-hidden />
              Enable
            </Button>
          }
          title={`Write events to ${zendesk}?`}
          confirmLabel="Enable"
          onConfirm={async () => {
            await patchDestination(id, { enabled: true });
            await refresh();
          }}
        >
          {testedAt === null && "No sample was sent through it yet: “Try an event” shows what it would write. "}
          From now on every event of its sources that an action is for is written there. {name} can be stopped at any
          time.
        </ConfirmDialog>
      )}
      {state === "stopped" && admin && (
        <ConfirmDialog
          trigger={
            <Button variant="primary">
              <Play aria-hidden />
              Start again
            </Button>
          }
          title={`Go on writing to ${zendesk}?`}
          confirmLabel="Start again"
          onConfirm={async () => {
            await startDestination(id);
            await refresh();
          }}
        >
          {deliveries.queued === 0
            ? "Nothing is queued; new events are written again."
            : `${deliveries.queued} queued ${deliveries.queued === 1 ? "delivery is" : "deliveries are"} sent first, in order.`}
        </ConfirmDialog>
      )}
      <Button
        variant={state === "on" ? "danger" : "secondary"}
        disabled={state !== "on"}
        busy={stop.isPending}
        onClick={() => stop.mutate()}
        title={state === "on" ? "Sends nothing more, within five seconds" : "Nothing is being sent"}
      >
        <OctagonX aria-hidden />
        Stop
      </Button>
    </>
  );
}
