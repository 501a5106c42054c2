"use client";

import { ToggleGroup as Radix } from "radix-ui";
import type { ReactNode } from "react";

type SegmentedProps<Value extends string> = {
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  options: readonly { value: Value; label: ReactNode; name?: string }[];
};

/** One of two to five short choices, all visible: "7 · 14 · [30] · 90". `name` says a choice in full. */
export function Segmented<Value extends string>({ label, value, onChange, options }: SegmentedProps<Value>) {
  return (
    <Radix.Root
      type="single"
      aria-label={label}
      value={value}
      // Pressing the chosen one again would leave none.
      onValueChange={(next) => next && onChange(next as Value)}
      className="inline-flex h-8 w-fit max-w-full shrink-0 items-stretch overflow-x-auto rounded-control border border-line p-px"
    >
      {options.map((option) => (
        <Radix.Item
          key={option.value}
          value={option.value}
          aria-label={option.name}
          className="min-w-7 shrink-0 whitespace-nowrap rounded-[5px] px-2 text-table text-muted hover:text-ink data-[state=on]:bg-accent-soft data-[state=on]:font-medium data-[state=on]:text-accent"
        >
          {option.label}
        </Radix.Item>
      ))}
    </Radix.Root>
  );
}
