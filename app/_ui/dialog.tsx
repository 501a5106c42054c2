"use client";

import { Dialog as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { cn } from "./class-names.ts";
import { CloseButton } from "./close-button.tsx";
import { useReturnFocus } from "./return-focus.ts";
import { ShortcutLayer } from "./shortcuts.tsx";

type DialogProps = {
  title: string;
  /** A sentence under the title. */
  description?: ReactNode;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  /** Opens it, where the caller does not keep `open` itself. */
  trigger?: ReactElement;
  children: ReactNode;
  /** Buttons at the foot, the main one last. */
  actions?: ReactNode;
  width?: "narrow" | "wide";
};

/** A question in the middle of the screen; Escape closes it, focus goes back. */
export function Dialog({
  title,
  description,
  open,
  onOpenChange,
  trigger,
  children,
  actions,
  width = "narrow",
}: DialogProps) {
  const returnFocus = useReturnFocus();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      {trigger && <Radix.Trigger asChild>{trigger}</Radix.Trigger>}
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-scrim" />
        <Radix.Content
          {...returnFocus}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cn(
            "fixed top-1/2 left-1/2 z-40 flex max-h-[calc(100dvh-32px)] w-[calc(100vw-32px)] -translate-1/2 animate-fade-in flex-col rounded-lg bg-floating shadow-floating focus-visible:outline-none",
            width === "narrow" ? "max-w-[480px]" : "max-w-[800px]",
          )}
        >
          <ShortcutLayer>
            <header className="flex items-start gap-2 px-4 pt-3 pb-2">
              <div className="min-w-0 flex-1 py-1">
                <Radix.Title className="text-body font-semibold">{title}</Radix.Title>
                {description && (
                  <Radix.Description className="mt-0.5 text-table text-muted">{description}</Radix.Description>
                )}
              </div>
              <Radix.Close asChild>
                <CloseButton />
              </Radix.Close>
            </header>
            <div className="min-h-0 overflow-y-auto px-4 pt-1 pb-4">{children}</div>
            {actions && (
              <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{actions}</footer>
            )}
          </ShortcutLayer>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
