"use client";

import { Tooltip as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";

export const floatingText =
  "z-50 max-w-72 animate-fade-in rounded-control bg-floating px-2 py-1.5 text-small text-ink shadow-floating";

/** Makes tooltips of neighbouring things open without a second delay. Rendered once, by the providers. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return <Radix.Provider delayDuration={300}>{children}</Radix.Provider>;
}

type TooltipProps = {
  content: ReactNode;
  /** One element that takes focus: a button or a link. For plain words use `Hint`. */
  children: ReactElement;
  side?: "top" | "right" | "bottom" | "left";
};

/** Words about a control, on hover and on focus; Escape closes it. */
export function Tooltip({ content, children, side = "top" }: TooltipProps) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{children}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content side={side} sideOffset={4} collisionPadding={8} className={floatingText}>
          {content}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
