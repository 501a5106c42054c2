"use client";

import { useState, useSyncExternalStore } from "react";
import { CopyButton } from "#app/_ui/copy-button.tsx";
import { Segmented } from "#app/_ui/segmented.tsx";
import { type SnippetKind, snippet, snippetKinds, snippetNames } from "./snippets.ts";

const never = () => () => {};

/** How a program sends its first event here. */
export function Snippets({ writeKey }: { writeKey: string }) {
  const [kind, setKind] = useState<SnippetKind>("segment");
  const host = useSyncExternalStore(
    never,
    () => window.location.origin,
    () => "",
  );
  const text = snippet(kind, host, writeKey);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center justify-between gap-2">
        <Segmented
          label="Program"
          value={kind}
          onChange={setKind}
          options={snippetKinds.map((value) => ({ value, label: snippetNames[value] }))}
        />
        <CopyButton text={text} label={`Copy the lines for ${snippetNames[kind]}`} />
      </div>
      <section
        aria-label={`Lines for ${snippetNames[kind]}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
        className="overflow-x-auto rounded-control bg-sunken p-3"
      >
        <pre className="font-mono text-small">{text}</pre>
      </section>
    </div>
  );
}
