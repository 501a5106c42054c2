"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RotateCcw } from "lucide-react";
import { useState } from "react";
import { type DeliveryFilters, deliveryQueries, type ReplayBody, replayDeliveries } from "#app/_queries/deliveries.ts";
import { destinationQueries } from "#app/_queries/destinations.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { useLocale } from "#app/_ui/locale.tsx";
import { formatNumber } from "#app/_ui/num.tsx";
import { toast } from "#app/_ui/toast.tsx";

type ReplayBarProps = {
  filters: DeliveryFilters;
  /** Ids of the rows that were chosen. */
  chosen: readonly string[];
  onDone: () => void;
};

/** Replays the chosen rows, or all that the filters leave, after saying how many that are. */
export function ReplayBar({ filters, chosen, onDone }: ReplayBarProps) {
  const { state } = filters;
  const isQueue = state === "failed" || state === "unknown";
  if (!isQueue && chosen.length === 0) return null;
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-2 border-b border-line px-4 py-1.5 text-table">
      <span role="status" className="text-muted">
        {chosen.length === 0 ? "Choose rows to replay some." : `${chosen.length} chosen`}
      </span>
      <ReplayChosen chosen={chosen} onDone={onDone} />
      {isQueue && <ReplayAll filters={filters} onDone={onDone} />}
    </div>
  );
}

function ReplayChosen({ chosen, onDone }: Pick<ReplayBarProps, "chosen" | "onDone">) {
  const replay = useReplay(onDone);
  return (
    <ConfirmDialog
      trigger={
        <Button size="sm" disabled={chosen.length === 0}>
          <RotateCcw aria-hidden />
          Replay the chosen
        </Button>
      }
      title={`Replay ${chosen.length} ${chosen.length === 1 ? "delivery" : "deliveries"}?`}
      confirmLabel="Replay"
      onConfirm={() => replay({ ids: [...chosen] })}
    >
      {explanation}
    </ConfirmDialog>
  );
}

function ReplayAll({ filters, onDone }: Pick<ReplayBarProps, "filters" | "onDone">) {
  const locale = useLocale();
  const [open, setOpen] = useState(false);
  const replay = useReplay(onDone);
  const count = useQuery({ ...deliveryQueries.count(filters), enabled: open });
  const number = count.data?.deliveries ?? null;
  const words = number === null ? "…" : formatNumber(number, locale);
  const filter = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== null && value !== ""));
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        <RotateCcw aria-hidden />
        Replay all that the filters leave…
      </Button>
      <ConfirmDialog
        open={open}
        onOpenChange={setOpen}
        title={`Replay ${words} ${number === 1 ? "delivery" : "deliveries"}?`}
        confirmLabel={number === null ? "Counting…" : `Replay ${words}`}
        onConfirm={() => {
          if (number === null) throw new Error("They are still being counted.");
          // Should there be more by then, the API refuses and says so.
          return replay({ filter, expected: number });
        }}
      >
        {explanation} {count.error && "They could not be counted. Close this and try again."}
      </ConfirmDialog>
    </>
  );
}

const explanation =
  "Each is mapped anew from its event with the actions as they are now, and looks in Zendesk first: nothing is written twice.";

/** Replays, says what came of it, and has the lists asked again. */
export function useReplay(onDone: () => void) {
  const client = useQueryClient();
  return async (which: ReplayBody) => {
    const { replayed, skipped } = await replayDeliveries(which);
    const rest = skipped === 0 ? "" : ` ${skipped} left as ${skipped === 1 ? "it is" : "they are"}.`;
    toast.success(`${replayed} queued again.${rest}`);
    onDone();
    await Promise.all([
      client.invalidateQueries({ queryKey: deliveryQueries.all() }),
      client.invalidateQueries({ queryKey: destinationQueries.all() }),
    ]);
  };
}
