"use client";

import type { ReactNode } from "react";
import { cn } from "#app/_ui/class-names.ts";
import { fadingEdges, useFadingEdges } from "#app/_ui/fading-edges.ts";

type CellProps = {
  /** Numbers stand at the end. */
  end?: boolean;
  muted?: boolean;
  children: ReactNode;
  className?: string;
  colSpan?: number;
};

const line = "border-b border-line pe-4 max-sm:pe-2 last:pe-0";

/** A table that may be wider than the screen scrolls by itself, by keyboard too, and fades where there is more of it. */
export function ScrollingTable({ label, children }: { label: string; children: ReactNode }) {
  const edges = useFadingEdges();
  return (
    <section
      ref={edges}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
      tabIndex={0}
      data-focus="inset"
      className={fadingEdges}
    >
      <table className="w-full text-table tabular-nums">{children}</table>
    </section>
  );
}

export function HeadCell({ end, children, className }: CellProps) {
  return (
    <th
      scope="col"
      className={cn(line, "py-1 font-medium whitespace-nowrap text-muted", end ? "text-end" : "text-start", className)}
    >
      {children}
    </th>
  );
}

/** The first cell of a row, which names it. */
export function RowHeadCell({ children, className }: CellProps) {
  return (
    <th scope="row" className={cn(line, "h-8 py-1 text-start font-normal whitespace-nowrap", className)}>
      {children}
    </th>
  );
}

export function Cell({ end, muted, children, className, colSpan }: CellProps) {
  return (
    <td
      colSpan={colSpan}
      className={cn(line, "h-8 py-1 whitespace-nowrap", end && "text-end", muted && "text-muted", className)}
    >
      {children}
    </td>
  );
}
