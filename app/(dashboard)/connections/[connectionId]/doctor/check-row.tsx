import { StatusDot } from "#app/_ui/badge.tsx";
import { Link } from "#app/_ui/link.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import type { Status } from "#app/_ui/status.ts";
import { TextWithTimes } from "#app/_ui/text-with-times.tsx";
import type { DoctorCheck } from "#lib/connections/shapes.ts";
import { BudgetBars } from "./budget-bars.tsx";
import { budgetsIn } from "./budgets.ts";
import { remedyOf } from "./remedies.ts";

const stateWords: Record<DoctorCheck["state"], { status: Status; words: string }> = {
  ok: { status: "good", words: "in order" },
  warning: { status: "watch", words: "watch" },
  failure: { status: "bad", words: "failing" },
  unknown: { status: "unknown", words: "not known" },
};
/** Checks of one asking stand seconds apart; only a finding older than that shows its own age. */
const SAME_ASKING_MS = 5 * 60_000;

type CheckRowProps = { check: DoctorCheck; connectionId: string; reportedAt: string | null };

/** One check: state in icon and word, what was found, what to do and where. */
export function CheckRow({ check, connectionId, reportedAt }: CheckRowProps) {
  const { status, words } = stateWords[check.state];
  const remedy = check.action ? remedyOf(check.key, check.action, connectionId) : null;
  const older = reportedAt !== null && Date.parse(reportedAt) - Date.parse(check.checkedAt) > SAME_ASKING_MS;
  const { budgets, words: found } = budgetsIn(check);
  return (
    <li className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-4 gap-y-0.5 py-2 text-table sm:grid-cols-[6rem_minmax(0,13rem)_minmax(0,1fr)]">
      <StatusDot status={status} className="self-start">
        {words}
      </StatusDot>
      <h3 className="font-medium">{check.title}</h3>
      <div className="min-w-0 max-sm:col-span-2">
        <p className="break-words">
          <TextWithTimes text={found} />
          {older && (
            <span className="text-muted">
              {" "}
              · found <RelativeTime at={check.checkedAt} />
            </span>
          )}
        </p>
        {budgets.length > 0 && <BudgetBars budgets={budgets} />}
        {check.action && (
          <p className="mt-0.5 text-muted">
            <TextWithTimes text={check.action} /> {remedy && <Link href={remedy.href}>{remedy.label}</Link>}
          </p>
        )}
      </div>
    </li>
  );
}
