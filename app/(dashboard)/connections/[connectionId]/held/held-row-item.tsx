"use client";

import { useId, useState } from "react";
import type { HeldRow } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";

import { streamTitles } from "#lib/connections/shapes.ts";
import type { Retry } from "./use-retry.ts";
import { MOST_SHOWN, visibleText } from "./visible-text.ts";

type HeldRowItemProps = { row: HeldRow; retry: Retry };

/** One held row: what it is, why it is held, since when; its raw text on demand. */
export function HeldRowItem({ row, retry }: HeldRowItemProps) {
  const [open, setOpen] = useState(false);
  const rawId = useId();
  const count = useCount();
  const { stream, key, reason, firstHeldAt, lastHeldAt, payload } = row;
  const trying = retry.isPending && retry.variables?.key === key && retry.variables.stream === stream;
  return (
    <li className="py-2">
      <div className="grid items-start gap-x-4 gap-y-1 sm:grid-cols-[minmax(0,1fr)_auto]">
        <div className="min-w-0">
          <p className="break-words">
            <span className="font-medium">
              {streamTitles[stream]} {key}
            </span>{" "}
            · {reason}
          </p>
          <p className="text-small text-muted">
            first <RelativeTime at={firstHeldAt} /> · last <RelativeTime at={lastHeldAt} />
          </p>
        </div>
        <div className="flex gap-2">
          <Button
            size="sm"
            variant="ghost"
            aria-expanded={open}
            aria-controls={rawId}
            aria-label={`Raw text of ${streamTitles[stream]} ${key}`}
            onClick={() => setOpen(!open)}
          >
            {open ? "Hide raw text" : "Show raw text"}
          </Button>
          <Button
            size="sm"
            busy={trying}
            disabled={retry.isPending}
            aria-label={`Try ${streamTitles[stream]} ${key} again`}
            onClick={() => retry.mutate({ stream, key })}
          >
            Try again
          </Button>
        </div>
      </div>
      {open && (
        <div id={rawId} className="mt-2">
          <div className="flex items-center justify-between gap-2 text-small text-muted">
            <span>
              {payload.length > MOST_SHOWN
                ? `The first ${count(MOST_SHOWN)} of ${count(payload.length)} characters; copying takes all.`
                : "As it came; what cannot be seen is written as its code."}
            </span>
            <CopyButton text={payload} label="Copy the raw text" />
          </div>
          <section
            aria-label="Raw text"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
            tabIndex={0}
            className="mt-1 max-h-80 overflow-auto rounded-control bg-sunken p-3"
          >
            <pre className="font-mono text-small break-all whitespace-pre-wrap">{visibleText(payload)}</pre>
          </section>
        </div>
      )}
    </li>
  );
}
