"use client";

import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";

const button = cva(
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control border font-medium whitespace-nowrap select-none [&_svg]:size-4 [&_svg]:shrink-0 disabled:opacity-60 disabled:cursor-not-allowed aria-disabled:opacity-60",
  {
    variants: {
      variant: {
        primary: "border-transparent bg-accent-fill text-on-accent hover:not-disabled:brightness-110",
        secondary: "border-line bg-canvas text-ink hover:not-disabled:bg-hover",
        ghost: "border-transparent text-ink hover:not-disabled:bg-hover",
        danger: "border-transparent bg-bad-fill text-on-accent hover:not-disabled:brightness-110",
      },
      size: { md: "h-8 px-3 text-body", sm: "h-7 px-2 text-table" },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

export type ButtonProps = ComponentProps<"button"> &
  VariantProps<typeof button> & {
    /** Shows a spinner and refuses further presses while the work goes on; the words stay. */
    busy?: boolean;
    /** Renders the single child (a link, say) with the look of a button. */
    asChild?: boolean;
  };

/** A verb. `primary` once a screen at most; `danger` for what cannot be undone. */
export function Button({ variant, size, busy = false, asChild, className, children, disabled, ...rest }: ButtonProps) {
  const classes = cn(button({ variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...rest}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button type="button" className={classes} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
      {busy && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  );
}
