"use client";

import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { cn } from "./class-names.ts";
import { Kbd } from "./kbd.tsx";
import { useShortcut, useSingleKeyShortcuts } from "./shortcuts.tsx";

type SearchFieldProps = {
  /** What is searched: "Search accounts". */
  label: string;
  value: string;
  /** Called 200 ms after the last letter, and at once on Enter and on clearing. */
  onChange: (value: string) => void;
  placeholder?: string;
  /** The key that brings the focus here; null for none. */
  shortcut?: string | null;
  className?: string;
};

const PAUSE_MS = 200;

export function SearchField({ label, value, onChange, placeholder, shortcut = "/", className }: SearchFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(value);
  const [sent, setSent] = useState(value);
  const [singleKeys] = useSingleKeyShortcuts();
  useShortcut({
    keys: shortcut ?? "",
    label,
    enabled: shortcut !== null,
    run: () => input.current?.select(),
  });

  // The value changed elsewhere (a cleared filter, the back button): the draft follows.
  if (value !== sent) {
    setSent(value);
    setDraft(value);
  }

  const send = (next: string) => {
    setSent(next);
    onChange(next);
  };

  useEffect(() => {
    if (draft === sent) return;
    const timer = setTimeout(() => {
      setSent(draft);
      onChange(draft);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [draft, sent, onChange]);

  return (
    <div className={cn("relative w-60 max-w-full", className)}>
      <Search aria-hidden className="pointer-events-none absolute top-2 left-2 size-4 text-muted" />
      <input
        ref={input}
        type="search"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") send(draft);
          if (event.key === "Escape" && draft !== "") {
            event.stopPropagation();
            setDraft("");
            send("");
          }
        }}
        className="h-8 w-full rounded-control border border-edge bg-canvas ps-8 pe-8 text-body [&::-webkit-search-cancel-button]:hidden"
      />
      {draft ? (
        <button
          type="button"
          aria-label="Clear the search"
          className="absolute top-1 right-1 flex size-6 items-center justify-center rounded text-muted hover:bg-hover"
          onClick={() => {
            setDraft("");
            send("");
            input.current?.focus();
          }}
        >
          <X aria-hidden className="size-4" />
        </button>
      ) : (
        shortcut &&
        singleKeys && (
          <span aria-hidden className="pointer-events-none absolute top-1.5 right-1.5">
            <Kbd keys={shortcut} />
          </span>
        )
      )}
    </div>
  );
}
