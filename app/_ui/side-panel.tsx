"use client";

import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";
import { CloseButton } from "./close-button.tsx";
import { useReturnFocus } from "./return-focus.ts";
import { ShortcutLayer } from "./shortcuts.tsx";

type SidePanelProps = {
  title: ReactNode;
  /** What is shown, in a line under the title: the number, the window. */
  description?: ReactNode;
  open: boolean;
  /** Called by Escape, the close button and a press outside; focus then returns to where it was. */
  onClose: () => void;
  /** Buttons left of the close button. */
  actions?: ReactNode;
  children: ReactNode;
  width?: "narrow" | "wide";
};

/** A panel over the right side of the screen: more about one number or row, without leaving the place. */
export function SidePanel({ title, description, open, onClose, actions, children, width = "wide" }: SidePanelProps) {
  const returnFocus = useReturnFocus("panel");
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-scrim" />
        <Radix.Content
          {...returnFocus}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cn(
            "fixed inset-y-0 right-0 z-40 flex w-full animate-fade-in flex-col bg-canvas shadow-floating focus-visible:outline-none",
            width === "wide" ? "max-w-[860px]" : "max-w-[440px]",
          )}
        >
          <ShortcutLayer>
            <header className="flex min-h-12 items-center gap-2 border-b border-line px-4 py-1.5">
              <div className="min-w-0 flex-1">
                <Radix.Title className="truncate text-body font-semibold">{title}</Radix.Title>
                {description && (
                  <Radix.Description className="truncate text-small text-muted">{description}</Radix.Description>
                )}
              </div>
              {actions}
              <Radix.Close asChild>
                <CloseButton />
              </Radix.Close>
            </header>
            <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">{children}</div>
          </ShortcutLayer>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
