"use client";

import { useId, useState } from "react";
import type { Exchange } from "#app/_queries/deliveries.ts";
import { StatusDot } from "#app/_ui/badge.tsx";
import { Button } from "#app/_ui/button.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import type { Status } from "#app/_ui/status.ts";
import { JsonText } from "#app/(dashboard)/destinations/json-text.tsx";

const outcomes: Record<Exchange["outcome"], { status: Status; words: string }> = {
  open: { status: "watch", words: "no answer noted" },
  done: { status: "good", words: "done" },
  refused: { status: "bad", words: "refused" },
  unknown: { status: "watch", words: "answer lost" },
  not_sent: { status: "unknown", words: "not sent" },
};

/** Every request and its answer, by try. */
export function Exchanges({ exchanges }: { exchanges: readonly Exchange[] }) {
  if (exchanges.length === 0) return <p className="text-table text-muted">Nothing was said yet.</p>;
  return (
    <ol className="-mt-3 divide-y divide-line border-b border-line text-table">
      {exchanges.map((exchange, at) => (
        <ExchangeItem
          // biome-ignore lint/suspicious/noArrayIndexKey: exchanges are only ever added at the end
          key={at}
          exchange={exchange}
          begins={exchange.attempt !== exchanges[at - 1]?.attempt}
        />
      ))}
    </ol>
  );
}

function ExchangeItem({ exchange, begins }: { exchange: Exchange; begins: boolean }) {
  const [open, setOpen] = useState(false);
  const bodyId = useId();
  const { attempt, step, isWrite, method, path, request, status, response, outcome, sentAt } = exchange;
  const name = `${method} ${path}`;
  return (
    <li className="py-2">
      {begins && (
        <p className="mb-1 text-small font-medium text-muted">
          Try {attempt} · <RelativeTime at={sentAt} as="clock" />
        </p>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-x-4 gap-y-1">
        <div className="min-w-0">
          <p className="break-all">
            <span className={isWrite ? "font-semibold" : "text-muted"}>{method}</span> <code>{path}</code>
          </p>
          <p className="flex flex-wrap items-center gap-x-3 text-small text-muted">
            <span>{step}</span>
            <StatusDot status={outcomes[outcome].status} className="text-ink">
              {status === null ? outcomes[outcome].words : `${status} ${outcomes[outcome].words}`}
            </StatusDot>
          </p>
        </div>
        <Button
          size="sm"
          variant="ghost"
          aria-expanded={open}
          aria-controls={bodyId}
          aria-label={`${open ? "Hide" : "Show"} what was said: ${name}`}
          onClick={() => setOpen(!open)}
        >
          {open ? "Hide" : "Show"}
        </Button>
      </div>
      {open && (
        <div id={bodyId} className="mt-2 grid gap-3 md:grid-cols-2">
          <div className="min-w-0">
            <p className="mb-1 text-small text-muted">Sent</p>
            <Body value={request} label={`Sent: ${name}`} />
          </div>
          <div className="min-w-0">
            <p className="mb-1 text-small text-muted">Answered</p>
            <Body value={response} label={`Answered: ${name}`} />
          </div>
        </div>
      )}
    </li>
  );
}

function Body({ value, label }: { value: unknown; label: string }) {
  if (value === null || value === undefined || value === "") return <p className="text-muted">No body.</p>;
  return <JsonText value={value} label={label} />;
}
