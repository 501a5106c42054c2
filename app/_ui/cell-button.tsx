"use client";

import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";
import { useRovingTabIndex } from "./roving.ts";

type CellButtonProps = Omit<ComponentProps<"button">, "type"> & {
  /** The whole name, e.g. "12 open, show them": a bare number says too little to a screen reader. */
  label: string;
};

/** A number that opens what it counts. Looks like the number; shows itself on hover and focus. */
export function CellButton({ label, className, children, ...rest }: CellButtonProps) {
  const tabIndex = useRovingTabIndex();
  return (
    <button
      type="button"
      aria-label={label}
      tabIndex={tabIndex}
      className={cn(
        "-my-1 inline-block min-w-6 rounded-sm py-1 text-inherit [font:inherit] [text-align:inherit] underline-offset-2 hover:text-accent hover:underline",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
