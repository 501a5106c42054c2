import { StatusDot } from "#app/_ui/badge.tsx";
import type { DataColumn } from "#app/_ui/data-table/columns.tsx";
import { Num } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { commandNames, deliveryWords, shownState } from "#app/(dashboard)/destinations/destination-words.ts";
import type { Delivery } from "#lib/destinations/shapes.ts";
import { RowCheckbox } from "./row-checkbox.tsx";

type Options = {
  /** There is one destination only: its name would say the same in every row. */
  ofOne: boolean;
  /** One state is chosen: it would stand in every row. */
  ofState: boolean;
  /** Given to those who may replay. */
  selection: { has: (id: string) => boolean; toggle: (id: string) => void } | null;
};

/** Whether a person may have it tried again. */
export const isReplayable = (state: Delivery["state"]) => state === "failed" || state === "unknown" || state === "held";

/** One delivery a row: whom it concerns, what it does, how it stands and why. */
export function deliveryColumns({ ofOne, ofState, selection }: Options): DataColumn<Delivery>[] {
  const columns: DataColumn<Delivery>[] = [
    { id: "subject", header: "Whom", width: 208, cell: ({ subject }) => <Words>{subject}</Words> },
    {
      id: "state",
      header: "State",
      width: 96,
      hidden: ofState,
      cell: (delivery) => {
        const { status, words } = deliveryWords[shownState(delivery)];
        return (
          <StatusDot status={status} className="align-middle">
            {words}
          </StatusDot>
        );
      },
    },
    { id: "action", header: "Action", width: 184, cell: ({ action }) => commandNames[action] },
    {
      id: "reason",
      header: "Reason",
      width: 328,
      cell: ({ reason, notes }) => (reason ? <Words>{reason}</Words> : <Words muted>{notes.join(" ")}</Words>),
    },
    { id: "fix", header: "What to do", width: 296, cell: ({ fix }) => <Words muted>{fix ?? ""}</Words> },
    { id: "updatedAt", header: "Changed", width: 96, cell: ({ updatedAt }) => <RelativeTime at={updatedAt} /> },
    {
      id: "attempts",
      header: "Tries",
      width: 64,
      align: "end",
      hidden: true,
      cell: ({ attempts }) => <Num value={attempts} />,
    },
    {
      id: "destination",
      header: "Destination",
      width: 144,
      hidden: ofOne,
      cell: ({ destination }) => destination.name,
    },
    { id: "messageId", header: "Message id", width: 256, hidden: true, cell: ({ messageId }) => messageId ?? "–" },
    {
      id: "createdAt",
      header: "Created",
      width: 112,
      hidden: true,
      cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
    },
  ];
  if (!selection) return columns;
  const choice: DataColumn<Delivery> = {
    id: "choice",
    header: "",
    name: "Choose",
    width: 40,
    cell: ({ id, subject, state }) =>
      isReplayable(state) && (
        <RowCheckbox label={`Choose ${subject}`} checked={selection.has(id)} onToggle={() => selection.toggle(id)} />
      ),
  };
  return columns.toSpliced(1, 0, choice);
}

/** Words that may be cut, whole on hover; all of them stand in the panel. */
function Words({ muted = false, children }: { muted?: boolean; children: string }) {
  return (
    <span title={children} className={muted ? "text-muted" : undefined}>
      {children}
    </span>
  );
}
