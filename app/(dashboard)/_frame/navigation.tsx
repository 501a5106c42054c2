"use client";

import { Menu as MenuIcon } from "lucide-react";
import NextLink from "next/link";
import { usePathname } from "next/navigation";
import { Dialog as Radix } from "radix-ui";
import { useState } from "react";
import { BrandMark } from "#app/_ui/brand.tsx";
import { cn } from "#app/_ui/class-names.ts";
import { CloseButton } from "#app/_ui/close-button.tsx";
import { IconButton } from "#app/_ui/icon-button.tsx";
import { ShortcutLayer } from "#app/_ui/shortcuts.tsx";
import { type Destination, destinations, isCurrent } from "./destinations.ts";
import { useSession } from "./session-context.tsx";
import { UserMenu } from "./user-menu.tsx";

/** The navigation at the left; on narrow screens `NavigationDrawer` takes its place. */
export function NavigationBar() {
  return (
    <div className="hidden w-48 shrink-0 flex-col border-e border-line bg-sunken md:flex">
      <NavigationContent />
    </div>
  );
}

/** The same behind a menu button, for narrow screens. */
export function NavigationDrawer() {
  const [open, setOpen] = useState(false);
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger asChild>
        <IconButton label="Menu" icon={<MenuIcon aria-hidden />} className="-ms-1 md:hidden" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-scrim md:hidden" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-40 flex w-64 animate-fade-in flex-col bg-sunken shadow-floating md:hidden"
        >
          <ShortcutLayer>
            <Radix.Title className="sr-only">Menu</Radix.Title>
            <Radix.Close asChild>
              <CloseButton
                label="Close the menu"
                className="absolute top-2 right-2 inline-flex size-8 items-center justify-center rounded-control hover:bg-hover"
              />
            </Radix.Close>
            <NavigationContent onNavigate={() => setOpen(false)} />
          </ShortcutLayer>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function NavigationContent({ onNavigate }: { onNavigate?: () => void }) {
  const { workspace } = useSession();
  const groups = [
    destinations.filter(({ group }) => group === "work"),
    destinations.filter(({ group }) => group === "setup"),
  ];
  return (
    <nav aria-label="Main" className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-12 shrink-0 items-center gap-2 px-4">
        <BrandMark className="size-6 shrink-0" />
        <div className="flex min-w-0 flex-col">
          <span className="text-body leading-4 font-semibold">Bellwether</span>
          <span className="truncate text-small text-muted">{workspace.name}</span>
        </div>
      </div>
      <div className="flex-1 overflow-y-auto px-2 py-2">
        {groups.map((group, at) => (
          <ul key={group[0]?.group} className={cn("flex flex-col gap-0.5", at > 0 && "mt-2 border-t border-line pt-2")}>
            {group.map((destination) => (
              <NavigationLink key={destination.href} destination={destination} onNavigate={onNavigate} />
            ))}
          </ul>
        ))}
      </div>
      <div className="border-t border-line p-2">
        <UserMenu />
      </div>
    </nav>
  );
}

function NavigationLink({ destination, onNavigate }: { destination: Destination; onNavigate?: () => void }) {
  const current = isCurrent(destination, usePathname());
  const Icon = destination.icon;
  return (
    <li>
      <NextLink
        href={destination.href}
        aria-current={current ? "page" : undefined}
        onClick={onNavigate}
        className={cn(
          "flex h-8 items-center gap-2 rounded-control px-2 text-body",
          current ? "bg-accent-soft font-medium text-accent" : "text-ink hover:bg-hover",
        )}
      >
        <Icon aria-hidden className="size-4 shrink-0" />
        {destination.label}
      </NextLink>
    </li>
  );
}
