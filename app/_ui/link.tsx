"use client";

import { ExternalLink } from "lucide-react";
import NextLink from "next/link";
import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";
import { useRovingTabIndex } from "./roving.ts";

type LinkProps = ComponentProps<typeof NextLink> & {
  /** Leaves the product: opens a new tab, says so, and tells the other side nothing about us. */
  external?: boolean;
  /** `quiet` looks like the text around it until hovered: for names in tables and lists. */
  quiet?: boolean;
};

export function Link({ external = false, quiet = false, className, children, ...rest }: LinkProps) {
  const tabIndex = useRovingTabIndex();
  const away = external ? { target: "_blank", rel: "noopener noreferrer", prefetch: false } : {};
  return (
    <NextLink
      tabIndex={tabIndex}
      className={cn(
        "rounded-sm underline-offset-2 hover:underline",
        quiet ? "text-ink hover:text-accent" : "text-accent underline decoration-accent/40",
        className,
      )}
      {...away}
      {...rest}
    >
      {children}
      {external && (
        <>
          <ExternalLink aria-hidden className="ms-1 inline size-3.5 align-[-2px]" />
          <span className="sr-only"> (opens a new tab)</span>
        </>
      )}
    </NextLink>
  );
}
