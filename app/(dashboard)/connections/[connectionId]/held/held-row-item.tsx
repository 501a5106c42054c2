"use client";

import { useId, useState } from "react";
import { type HeldRow, heldText } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { useCount } from "#app/_ui/num.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { heldRowName } from "../../connection-words.ts";
import type { Retry } from "./use-retry.ts";
import type { SetAside } from "./use-set-aside.ts";
import { MOST_SHOWN, visibleText } from "./visible-text.ts";

type HeldRowItemProps = { connectionId: string; row: HeldRow; retry: Retry; setAside: SetAside };

/** One held row: what it is, why it is held, since when, and whether somebody set it aside; its raw text on demand. */
export function HeldRowItem({ connectionId, row, retry, setAside }: HeldRowItemProps) {
  const [open, setOpen] = useState(false);
  const rawId = useId();
  const count = useCount();
  const { stream, key, reason, firstHeldAt, lastHeldAt, payload } = row;
  const isMeant = (what?: { stream?: string | undefined; key?: string | undefined }) =>
    what?.key === key && what.stream === stream;
  const name = heldRowName(stream, key);
  // A button's name begins with what stands on it, so that it can be called by it.
  const named = (label: string) => ({
    "aria-label": `${label}: ${name.charAt(0).toLowerCase()}${name.slice(1)}`,
    children: label,
  });
  return (
    <li className="py-2">
      <div className="grid items-start gap-x-4 gap-y-1 sm:grid-cols-[minmax(0,1fr)_auto]">
        <div className="min-w-0">
          <p className="break-words">
            <span className="font-medium">{name}</span> · {reason}
          </p>
          <p className="text-small text-muted">
            first <RelativeTime at={firstHeldAt} /> · last <RelativeTime at={lastHeldAt} />
            {row.setAside && (
              <>
                {" "}
                · set aside by {row.setAside.by} <RelativeTime at={row.setAside.at} />
              </>
            )}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button
            size="sm"
            variant="ghost"
            aria-expanded={open}
            aria-controls={rawId}
            onClick={() => setOpen(!open)}
            {...named(open ? "Hide raw text" : "Show raw text")}
          />
          <Button
            size="sm"
            variant="ghost"
            busy={setAside.isPending && isMeant(setAside.variables)}
            disabled={setAside.isPending}
            onClick={() => setAside.mutate({ stream, key, setAside: row.setAside === null })}
            {...named(row.setAside ? "Hold again" : "Set aside")}
          />
          <Button
            size="sm"
            busy={retry.isPending && isMeant(retry.variables)}
            disabled={retry.isPending}
            onClick={() => retry.mutate({ stream, key })}
            {...named("Try again")}
          />
        </div>
      </div>
      {open && (
        <div id={rawId} className="mt-2">
          <div className="flex items-center justify-between gap-2 text-small text-muted">
            <span>
              {row.length > MOST_SHOWN
                ? `The first ${count(MOST_SHOWN)} of ${count(row.length)} characters; copying takes all.`
                : "As it came; what cannot be seen is written as its code."}
            </span>
            <CopyButton text={row.isCut ? () => heldText(connectionId, row) : payload} label="Copy the raw text" />
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
