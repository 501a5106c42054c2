"use client";

import type { ReactNode } from "react";
import { Button, type ButtonProps } from "./button.tsx";
import { cn } from "./class-names.ts";
import { Tooltip } from "./tooltip.tsx";

type IconButtonProps = Omit<ButtonProps, "children" | "aria-label"> & {
  /** The verb, read aloud and shown as the tooltip. */
  label: string;
  icon: ReactNode;
};

/** A button that shows only its icon; its name stands in the tooltip. */
export function IconButton({ label, icon, size = "md", variant = "ghost", className, ...rest }: IconButtonProps) {
  return (
    <Tooltip content={label}>
      <Button
        aria-label={label}
        size={size}
        variant={variant}
        className={cn(size === "sm" ? "w-7 px-0" : "w-8 px-0", className)}
        {...rest}
      >
        {icon}
      </Button>
    </Tooltip>
  );
}
