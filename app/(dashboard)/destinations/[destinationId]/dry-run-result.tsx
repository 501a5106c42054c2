"use client";

import type { DryRun } from "#app/_queries/destinations.ts";
import { Badge } from "#app/_ui/badge.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import type { Status } from "#app/_ui/status.ts";
import { commandNames } from "#app/(dashboard)/destinations/destination-words.ts";
import { ValueText } from "#app/(dashboard)/destinations/value-text.tsx";

type Item = DryRun["items"][number];
type Intent = Item["intents"][number];

const verbs: Record<Intent["verb"], { words: string; status?: Status }> = {
  create: { words: "create", status: "good" },
  change: { words: "change", status: "watch" },
  remove: { words: "remove", status: "bad" },
  none: { words: "nothing to do" },
};

/** While a dry run goes on. */
export function Asking() {
  return (
    <p role="status" className="text-table text-muted">
      Asking Zendesk … It takes 20 seconds at most.
    </p>
  );
}

/** What would be created, changed and removed, in words; nothing was written. */
export function DryRunResult({ dryRun }: { dryRun: DryRun }) {
  const { counts, items } = dryRun;
  const parts = [
    `${counts.create} created`,
    `${counts.change} changed`,
    `${counts.remove} removed`,
    ...(counts.failed > 0 ? [`${counts.failed} would fail`] : []),
    ...(counts.held > 0 ? [`${counts.held} would be held`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} cannot be told`] : []),
  ];
  return (
    <section aria-label="Result of the dry run" className="flex flex-col gap-2">
      <Notice kind="info" announce title={`Would be: ${parts.join(", ")}`}>
        {items.length === 0 ? "No action is for this event." : "Nothing was written."}
      </Notice>
      <ul className="divide-y divide-line border-b border-line text-table">
        {items.map((item, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: one answer, whose items never move
          <li key={at} className="flex flex-col gap-1 py-2">
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{commandNames[item.action]}</span>
              {item.state === "failed" && <Badge status="bad">would fail</Badge>}
              {item.state === "held" && <Badge status="watch">would be held</Badge>}
              {item.state === "unknown" && <Badge status="unknown">cannot be told</Badge>}
            </p>
            {item.reason && (
              <p>
                {item.reason} <span className="text-muted">{item.fix}</span>
              </p>
            )}
            {item.notes.length > 0 && (
              <ul aria-label="Left out or done otherwise" className="list-disc ps-5">
                {item.notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            )}
            {item.intents.map((intent, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: one answer, whose items never move
              <IntentLines key={index} intent={intent} />
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}

function IntentLines({ intent }: { intent: Intent }) {
  const { words, status } = verbs[intent.verb];
  return (
    <div>
      <p className="flex flex-wrap items-center gap-2">
        <Badge status={status}>{words}</Badge>
        {intent.what}
        {intent.zendeskId && <span className="text-muted tabular-nums">#{intent.zendeskId}</span>}
      </p>
      {intent.changes.length > 0 && (
        <dl className="mt-1 grid grid-cols-[minmax(0,max-content)_minmax(0,1fr)] gap-x-4 gap-y-0.5 ps-4">
          {intent.changes.map(({ field, from, to }) => (
            <div key={field} className="contents">
              <dt className="break-all text-muted">{field}</dt>
              <dd className="break-words">
                {intent.verb === "change" && (
                  <>
                    <ValueText value={from} /> →{" "}
                  </>
                )}
                <ValueText value={to} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
