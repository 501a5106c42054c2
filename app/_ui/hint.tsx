"use client";

import { Tooltip as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { cn } from "./class-names.ts";
import { useRovingTabIndex } from "./roving.ts";
import { floatingText } from "./tooltip.tsx";

type HintProps = {
  /** What hover, focus and a tap show. */
  content: ReactNode;
  children: ReactNode;
  /** What a press does instead of only showing the hint. */
  onPress?: () => void;
  /** The whole name for screen readers where the visible words are not enough. */
  label?: string;
  className?: string;
};

/** Words or a number that explain themselves: on hover, on focus and, since fingers cannot hover, on a tap. */
export function Hint({ content, children, onPress, label, className }: HintProps) {
  const [open, setOpen] = useState(false);
  const tabIndex = useRovingTabIndex();
  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      <Radix.Trigger
        type="button"
        aria-label={label}
        tabIndex={tabIndex}
        // The trigger's own reaction to a press is to close; prevented, a tap keeps the hint open.
        onPointerDown={(event) => event.preventDefault()}
        onClick={(event) => {
          event.preventDefault();
          if (onPress) {
            setOpen(false);
            onPress();
          } else setOpen(true);
        }}
        className={cn(
          "-my-1 inline-block min-w-6 rounded-sm py-1 text-inherit [font:inherit] [text-align:inherit] [font-variant-numeric:inherit]",
          onPress
            ? "hover:text-accent hover:underline underline-offset-2"
            : "cursor-help underline decoration-line decoration-dotted underline-offset-4",
          className,
        )}
      >
        {children}
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content side="top" sideOffset={4} collisionPadding={8} className={floatingText}>
          {content}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
