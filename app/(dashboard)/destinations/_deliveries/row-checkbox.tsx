"use client";

import { Check } from "lucide-react";
import { Checkbox as Radix } from "radix-ui";
import { useRovingTabIndex } from "#app/_ui/roving.ts";

type RowCheckboxProps = { label: string; checked: boolean; onToggle: () => void };

/** Chooses a row of a table. */
export function RowCheckbox({ label, checked, onToggle }: RowCheckboxProps) {
  const tabIndex = useRovingTabIndex();
  return (
    <Radix.Root
      aria-label={label}
      checked={checked}
      onCheckedChange={onToggle}
      tabIndex={tabIndex}
      // The box is 16 px, the area that takes the press 24.
      className="relative flex size-4 items-center justify-center rounded border border-edge bg-canvas after:absolute after:-inset-1 data-[state=checked]:border-accent-fill data-[state=checked]:bg-accent-fill"
    >
      <Radix.Indicator className="text-on-accent">
        <Check aria-hidden size={12} />
      </Radix.Indicator>
    </Radix.Root>
  );
}
