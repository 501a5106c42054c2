"use client";

import { Command as Palette } from "cmdk";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Kbd } from "./kbd.tsx";
import { useReturnFocus } from "./return-focus.ts";
import { ShortcutLayer, useShortcut } from "./shortcuts.tsx";

export type Command = {
  id: string;
  /** What it does or where it goes; what is typed is looked for here and in `keywords`. */
  label: string;
  /** Heading it stands under. */
  group: string;
  keywords?: string[];
  icon?: ReactNode;
  detail?: ReactNode;
  /** A shortcut that does the same. */
  keys?: string;
  run: () => void;
};

type CommandPaletteProps = {
  commands: readonly Command[];
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  placeholder?: string;
  /** Lets the caller bring commands that fit what is typed, from a server for example. */
  onQueryChange?: (query: string) => void;
  loading?: boolean;
};

/** Everything by name, behind Ctrl K or ⌘ K. */
export function CommandPalette({
  commands,
  open: givenOpen,
  onOpenChange,
  placeholder = "Go to or do…",
  onQueryChange,
  loading = false,
}: CommandPaletteProps) {
  const [ownOpen, setOwnOpen] = useState(false);
  const open = givenOpen ?? ownOpen;
  const setOpen = onOpenChange ?? setOwnOpen;
  const returnFocus = useReturnFocus();
  useShortcut({ keys: "mod+k", label: "Open the command palette", run: () => setOpen(true) });

  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-50 bg-scrim" />
        <Radix.Content
          {...returnFocus}
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-50 w-[calc(100vw-32px)] max-w-[560px] -translate-x-1/2 animate-fade-in overflow-hidden rounded-lg bg-floating shadow-floating"
        >
          <ShortcutLayer>
            <Radix.Title className="sr-only">Command palette</Radix.Title>
            <Palette label="Commands" loop>
              <Palette.Input
                placeholder={placeholder}
                onValueChange={onQueryChange}
                className="h-11 w-full border-b border-line bg-transparent px-4 text-body focus-visible:outline-none"
              />
              <Palette.List
                aria-busy={loading}
                className="max-h-[50vh] overflow-y-auto p-1 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-small [&_[cmdk-group-heading]]:text-muted"
              >
                <Palette.Empty className="px-3 py-4 text-table text-muted">
                  {loading ? "Looking…" : "Nothing is called that."}
                </Palette.Empty>
                {groupsOf(commands).map(([group, members]) => (
                  <Palette.Group key={group} heading={group}>
                    {members.map((command) => (
                      <Palette.Item
                        key={command.id}
                        value={`${command.label} ${command.id}`}
                        keywords={command.keywords}
                        onSelect={() => {
                          setOpen(false);
                          command.run();
                        }}
                        className="flex min-h-8 cursor-default items-center gap-2 rounded px-3 py-1 text-body data-[selected=true]:bg-hover [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-muted"
                      >
                        {command.icon}
                        <span className="min-w-0 truncate">{command.label}</span>
                        {command.detail && <span className="truncate text-small text-muted">{command.detail}</span>}
                        {command.keys && (
                          <span className="ms-auto">
                            <Kbd keys={command.keys} />
                          </span>
                        )}
                      </Palette.Item>
                    ))}
                  </Palette.Group>
                ))}
              </Palette.List>
            </Palette>
          </ShortcutLayer>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function groupsOf(commands: readonly Command[]): [string, Command[]][] {
  const groups = new Map<string, Command[]>();
  for (const command of commands) groups.set(command.group, [...(groups.get(command.group) ?? []), command]);
  return [...groups];
}
