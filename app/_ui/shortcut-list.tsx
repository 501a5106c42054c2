"use client";

import { useState } from "react";
import { Dialog } from "./dialog.tsx";
import { Kbd } from "./kbd.tsx";
import { useBoundShortcuts, useShortcut, useSingleKeyShortcuts } from "./shortcuts.tsx";
import { Switch } from "./switch.tsx";

/** The list of shortcuts behind `?`, with the switch for those of a single key. Rendered once, by the frame. */
export function ShortcutList({
  open: givenOpen,
  onOpenChange,
}: {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}) {
  const [ownOpen, setOwnOpen] = useState(false);
  const open = givenOpen ?? ownOpen;
  const setOpen = onOpenChange ?? setOwnOpen;
  const [enabled, setEnabled] = useSingleKeyShortcuts();
  const bound = useBoundShortcuts();
  useShortcut({ keys: "?", label: "Show the shortcuts", run: () => setOpen(true) });

  const distinct = [...new Map(bound.map((shortcut) => [shortcut.keys, shortcut])).values()];
  return (
    <Dialog title="Keyboard shortcuts" open={open} onOpenChange={setOpen}>
      <dl className="mb-4 grid grid-cols-[1fr_auto] items-center gap-y-2 text-table">
        {distinct.map(({ keys, label }) => (
          <div key={keys} className="contents">
            <dt>{label}</dt>
            <dd className="justify-self-end">
              <Kbd keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
      <div className="border-t border-line pt-3">
        <Switch
          label="Shortcuts of a single key"
          hint="Off, only combinations with Ctrl or ⌘ answer. Arrow keys in tables always work."
          checked={enabled}
          onChange={setEnabled}
        />
      </div>
    </Dialog>
  );
}
