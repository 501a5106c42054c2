"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, RotateCcw } from "lucide-react";
import { useState } from "react";
import { approveDelivery, deliveryQueries, discardDelivery } from "#app/_queries/deliveries.ts";
import { type DryRun, destinationQueries, dryRunDestination } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { reasonOf } from "#app/_ui/error-state.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { Asking, DryRunResult } from "#app/(dashboard)/destinations/[destinationId]/dry-run-result.tsx";
import { couldCreateUser } from "#lib/destinations/create-on-approve.ts";
import { allowedByWord, type DeliveryDetail, discarded } from "#lib/destinations/shapes.ts";
import { useReplay } from "./replay-bar.tsx";

/** What a person can do: approve what is held or lacks only a user, replay what failed or is unknown, discard; before it, look at a dry run. */
export function Decision({ delivery }: { delivery: DeliveryDetail }) {
  const { user } = useSession();
  const { state } = delivery;
  if (state === "done" || state === "sending" || user.role === "viewer") return null;
  return <Choices delivery={delivery} admin={user.role === "admin"} />;
}

function Choices({ delivery, admin }: { delivery: DeliveryDetail; admin: boolean }) {
  const client = useQueryClient();
  const [dryRun, setDryRun] = useState<DryRun | null>(null);
  const { id, state, code, affectedTickets, destination } = delivery;
  const isAllowed = (allowedByWord as readonly (string | null)[]).includes(code);
  const createsUser = couldCreateUser(delivery);
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: deliveryQueries.all() }),
      client.invalidateQueries({ queryKey: destinationQueries.all() }),
    ]);
  const replay = useReplay(() => {});
  const dry = useMutation({
    mutationFn: () => dryRunDestination(destination.id, { deliveryIds: [id] }),
    onSuccess: setDryRun,
  });
  const tickets = affectedTickets?.length ?? 0;
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap gap-2">
        {admin && (state === "held" || createsUser) && (
          <ConfirmDialog
            trigger={
              <Button variant="primary">
                <Check aria-hidden />
                Approve
              </Button>
            }
            title={createsUser ? "Create this user in Zendesk?" : approvalTitle(tickets, isAllowed)}
            confirmLabel="Approve"
            danger={tickets > 0}
            onConfirm={async () => {
              await approveDelivery(delivery);
              toast.success(
                isAllowed
                  ? "Approved: it is sent now."
                  : "Approved: it is looked up again, and held again if nothing changed.",
              );
              await refresh();
            }}
          >
            <p>{delivery.reason}</p>
            {createsUser && (
              <p className="mt-2">The user is created with the e-mail of the event; then this is done.</p>
            )}
            {!isAllowed && (
              <p className="mt-2">
                Approving has Zendesk looked up again. Mend it there first: as long as it is like this, nothing is sent
                and it is held again.
              </p>
            )}
          </ConfirmDialog>
        )}
        {admin && (state === "failed" || state === "unknown") && (
          <Button
            variant="primary"
            onClick={() => void replay({ ids: [id] }).catch((error) => toast.error(reasonOf(error)))}
          >
            <RotateCcw aria-hidden />
            Replay
          </Button>
        )}
        <Button busy={dry.isPending} onClick={() => dry.mutate()}>
          Dry run
        </Button>
        {admin && code !== discarded && (
          <ConfirmDialog
            trigger={<Button>Discard</Button>}
            title="Discard this?"
            confirmLabel="Discard"
            danger
            onConfirm={async () => {
              await discardDelivery(delivery);
              toast.success("Discarded: it is listed as failed, with your name.");
              await refresh();
            }}
          >
            It is never done. It stays in the log as failed, with who decided so, and counts as a dead letter no more.
          </ConfirmDialog>
        )}
      </div>
      {state === "unknown" && (
        <p className="text-table text-muted">
          There is nothing to approve: whether it was written is a fact, and a replay looks it up before it sends
          anything.
        </p>
      )}
      {!admin && state !== "queued" && (
        <p className="text-table text-muted">Administrators approve, replay and discard.</p>
      )}
      {dry.isPending && <Asking />}
      {dry.error && <Notice kind="failure" announce title={reasonOf(dry.error)} />}
      {dryRun && <DryRunResult dryRun={dryRun} />}
    </div>
  );
}

function approvalTitle(tickets: number, isAllowed: boolean): string {
  if (tickets > 0)
    return `Approve, though ${tickets} working ${tickets === 1 ? "ticket is" : "tickets are"} unassigned?`;
  return isAllowed ? "Approve this?" : "Have it looked up again?";
}
