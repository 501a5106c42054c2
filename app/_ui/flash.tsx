"use client";

import { type ReactNode, useState } from "react";

type FlashProps = {
  value: number | string | null;
  /** What the value answers (the window chosen, say): another question is no change. */
  of: unknown;
  children: ReactNode;
};

/** Flashes once when the same question gets another number; never when it first appears. */
export function Flash({ value, of, children }: FlashProps) {
  const [seen, setSeen] = useState({ value, of, changes: 0 });
  if (seen.value !== value || seen.of !== of) {
    setSeen({ value, of, changes: seen.of === of ? seen.changes + 1 : 0 });
  }
  return (
    <span key={seen.changes} className={seen.changes > 0 ? "animate-flash rounded-sm" : undefined}>
      {children}
    </span>
  );
}
