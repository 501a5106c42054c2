"use client";

import { CopyButton } from "#app/_ui/copy-button.tsx";
import { MOST_SHOWN, visibleText } from "#app/(dashboard)/connections/[connectionId]/held/visible-text.ts";

/** JSON as it was sent or came, safe to look at and to copy. */
export function JsonText({ value, label }: { value: unknown; label: string }) {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  return (
    <div className="relative min-w-0">
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className="max-h-80 overflow-auto rounded-control bg-sunken p-3 pe-10"
      >
        <pre className="font-mono text-small break-words whitespace-pre-wrap">{visibleText(text)}</pre>
        {text.length > MOST_SHOWN && <p className="text-small text-muted">The rest is in what is copied.</p>}
      </section>
      <div className="absolute end-1 top-1">
        <CopyButton text={text} label={`Copy: ${label}`} />
      </div>
    </div>
  );
}
