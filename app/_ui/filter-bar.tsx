"use client";

import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";

type FilterBarProps = {
  /** What the filters are for, for screen readers: "Filters of the table". */
  label: string;
  /** Search and filters, from the left. */
  children: ReactNode;
  /** Count, column chooser, export: at the right. */
  end?: ReactNode;
  /** Given while any filter holds: shows "Clear". */
  onClear?: () => void;
};

/** One line above a table that narrows it; wraps on narrow screens. */
export function FilterBar({ label, children, end, onClear }: FilterBarProps) {
  return (
    <search aria-label={label} className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2">
      {children}
      {onClear && (
        <Button variant="ghost" size="sm" onClick={onClear}>
          <X aria-hidden />
          Clear
        </Button>
      )}
      {end && <div className="ms-auto flex flex-wrap items-center gap-2">{end}</div>}
    </search>
  );
}
