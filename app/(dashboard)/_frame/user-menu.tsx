"use client";

import { ChevronsUpDown, Keyboard, LogOut } from "lucide-react";
import { useState } from "react";
import { Menu, MenuChoice, MenuItem, MenuLine, MenuToggle } from "#app/_ui/menu.tsx";
import { ShortcutList } from "#app/_ui/shortcut-list.tsx";
import { useSingleKeyShortcuts } from "#app/_ui/shortcuts.tsx";
import { useTheme } from "#app/_ui/theme.ts";
import { toast } from "#app/_ui/toast.tsx";
import { useSession } from "./session-context.tsx";
import { signOut } from "./sign-out.ts";

/** Theme, shortcuts, leaving. */
export function UserMenu() {
  const { user } = useSession();
  const [theme, setTheme] = useTheme();
  const [singleKeys, setSingleKeys] = useSingleKeyShortcuts();
  const [listOpen, setListOpen] = useState(false);
  const leave = () => signOut().catch(() => toast.error("You are still signed in: the server did not answer."));

  return (
    <>
      <Menu
        align="start"
        label="Your menu"
        trigger={
          <button
            type="button"
            className="flex min-h-10 w-full items-center gap-2 rounded-control px-2 py-1 text-start hover:bg-hover"
          >
            <span className="min-w-0 flex-1">
              <span className="block truncate text-table font-medium">{user.name ?? user.email}</span>
              <span className="block truncate text-small text-muted">{user.role}</span>
            </span>
            <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
            <span className="sr-only">Your menu</span>
          </button>
        }
      >
        <MenuChoice
          label="Theme"
          value={theme}
          onChange={setTheme}
          options={[
            { value: "system", label: "As the device" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
        />
        <MenuLine />
        <MenuToggle checked={singleKeys} onChange={setSingleKeys}>
          Single-key shortcuts
        </MenuToggle>
        <MenuItem icon={<Keyboard aria-hidden />} onSelect={() => setListOpen(true)}>
          Show the shortcuts
        </MenuItem>
        <MenuLine />
        <MenuItem icon={<LogOut aria-hidden />} onSelect={leave}>
          Sign out
        </MenuItem>
      </Menu>
      <ShortcutList open={listOpen} onOpenChange={setListOpen} />
    </>
  );
}
