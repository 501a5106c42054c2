"use client";

import { Popover as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { cn } from "./class-names.ts";
import { floatingList } from "./menu-style.ts";

type PopoverProps = {
  /** What the floating part is, for screen readers. */
  label: string;
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "center" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  className?: string;
};

/** Controls that float beside their button; Escape and a press outside close it, focus goes back. */
export function Popover({ label, trigger, children, align = "start", open, onOpenChange, className }: PopoverProps) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className={cn(
            floatingList,
            "w-72 overflow-y-auto p-3 max-h-[var(--radix-popover-content-available-height)]",
            className,
          )}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
