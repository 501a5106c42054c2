"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Building2, LogOut, Moon, Sun } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { apiGet } from "#app/_queries/client.ts";
import { type Command, CommandPalette } from "#app/_ui/command-palette.tsx";
import { useTheme } from "#app/_ui/theme.ts";
import { toast } from "#app/_ui/toast.tsx";
import type { AccountItem } from "#lib/accounts/shapes.ts";
import type { List } from "#lib/api/shapes.ts";
import { destinations } from "./destinations.ts";
import { useGo } from "./leave-guard.tsx";
import { signOut } from "./sign-out.ts";

const FOUND_ACCOUNTS = 8;

/** The palette of the frame: screens, accounts by name, theme, leaving. */
export function Commands() {
  const go = useGo();
  const [, setTheme] = useTheme();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const wanted = useDeferredValue(typed.trim());
  const accounts = useQuery({
    queryKey: ["accounts", "by-name", wanted],
    queryFn: ({ signal }) =>
      apiGet<List<AccountItem>>("/api/v1/accounts", { q: wanted, sort: "name", limit: FOUND_ACCOUNTS }, signal),
    enabled: open && wanted.length >= 2,
    placeholderData: keepPreviousData,
  });

  const commands: Command[] = [
    ...destinations.map(({ href, label, icon: Icon }) => ({
      id: href,
      label,
      group: "Go to",
      icon: <Icon aria-hidden />,
      run: () => go(href),
    })),
    ...(wanted.length >= 2 ? (accounts.data?.items ?? []) : []).map((account) => ({
      id: account.id,
      label: account.name,
      group: "Accounts",
      keywords: [wanted],
      detail: account.owner?.name ?? account.owner?.email,
      icon: <Building2 aria-hidden />,
      run: () => go(`/accounts/${account.id}`),
    })),
    { id: "dark", label: "Dark theme", group: "Do", icon: <Moon aria-hidden />, run: () => setTheme("dark") },
    { id: "light", label: "Light theme", group: "Do", icon: <Sun aria-hidden />, run: () => setTheme("light") },
    {
      id: "sign-out",
      label: "Sign out",
      group: "Do",
      icon: <LogOut aria-hidden />,
      run: () => void signOut().catch(() => toast.error("You are still signed in: the server did not answer.")),
    },
  ];

  return (
    <CommandPalette
      commands={commands}
      open={open}
      onOpenChange={(next) => {
        setOpen(next);
        setTyped("");
      }}
      placeholder="Go to a screen or an account…"
      onQueryChange={setTyped}
      loading={accounts.isFetching}
    />
  );
}
