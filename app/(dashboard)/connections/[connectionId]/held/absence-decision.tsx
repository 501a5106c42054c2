"use client";

import { useQueryClient } from "@tanstack/react-query";
import { connectionQueries } from "#app/_queries/connections.ts";
import { approveAbsences } from "#app/_queries/ledger.ts";
import { noticeQueries } from "#app/_queries/notices.ts";
import { Button } from "#app/_ui/button.tsx";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import type { Absence } from "#lib/connections/shapes.ts";

type AbsenceDecisionProps = { connectionId: string; stream: Absence["stream"]; held: number };

/** More rows are missing at once than is believed without a person: what it means, and the word that allows it. */
export function AbsenceDecision({ connectionId, stream, held }: AbsenceDecisionProps) {
  const { user } = useSession();
  const client = useQueryClient();
  const count = useCount()(held);
  const nouns = held === 1 ? stream.slice(0, -1) : stream;
  const admin = user.role === "admin";

  const approve = async () => {
    await approveAbsences(connectionId, stream, held);
    toast.success(`Allowed. A check has started and asks Zendesk for each of the ${count} ${nouns} by its id.`);
    await Promise.all([
      client.invalidateQueries({ queryKey: connectionQueries.all() }),
      client.invalidateQueries({ queryKey: noticeQueries.all() }),
    ]);
  };

  return (
    <Notice
      kind="warning"
      className="mb-4"
      title={`${count} ${nouns} ${held === 1 ? "waits" : "wait"} for a decision: Zendesk no longer shows ${held === 1 ? "it" : "them"}.`}
      actions={
        admin && (
          <ConfirmDialog
            trigger={<Button>Allow the removal…</Button>}
            title={`Allow up to ${count} ${nouns} to be removed if Zendesk does not find them?`}
            confirmLabel={`Allow up to ${count}`}
            danger
            typeToConfirm={String(held)}
            onConfirm={approve}
          >
            A check starts at once and asks Zendesk for each by its id. Those that it does not find count as deleted and
            leave the numbers; those that it finds stay. Are more than {count} missing by then, nothing is removed and
            you are asked again. What Zendesk shows later comes back.
          </ConfirmDialog>
        )
      }
    >
      That is more at once than is taken away without a person’s word. They may have been deleted in Zendesk; a login
      that lost its right to see them looks the same: <Link href="?tab=doctor">ask the doctor</Link> first. Until then
      they stay and count. {!admin && "An administrator decides."}
    </Notice>
  );
}
