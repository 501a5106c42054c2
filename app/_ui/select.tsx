"use client";

import { Check, ChevronDown } from "lucide-react";
import { Select as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";
import { controlClasses, Field, type FieldProps } from "./field.tsx";
import { floatingList, listItem } from "./menu-style.ts";

export type Option<Value extends string = string> = {
  value: Value;
  label: string;
  /** A second, muted line or word. */
  detail?: ReactNode;
  disabled?: boolean;
};

type SelectProps<Value extends string> = FieldProps & {
  value: Value | null;
  onChange: (value: Value) => void;
  options: readonly Option<Value>[];
  placeholder?: string;
  disabled?: boolean;
  /** Shows "Label: value" inside the control and no label above: for filter bars. */
  inline?: boolean;
  className?: string;
};

/** One of a few. For long or searchable lists use `Combobox`. Option values must not be empty. */
export function Select<Value extends string>({
  value,
  onChange,
  options,
  placeholder = "Choose…",
  disabled,
  inline = false,
  className,
  ...field
}: SelectProps<Value>) {
  return (
    <Field {...field} labelHidden={field.labelHidden ?? inline}>
      {(control) => (
        <Radix.Root value={value ?? ""} onValueChange={(next) => onChange(next as Value)} disabled={disabled}>
          <Radix.Trigger
            {...control}
            // The visible words hold the label too where it stands inside the control.
            aria-label={inline ? field.label : undefined}
            className={cn(
              controlClasses,
              "flex items-center justify-between gap-1.5 text-start data-placeholder:text-muted",
              inline && "w-auto border-line hover:bg-hover",
              className,
            )}
          >
            <span className="truncate">
              {inline && <span className="text-muted">{field.label}: </span>}
              {/* Its own words: radix learns an item's text only once the list was rendered in the browser. */}
              <Radix.Value placeholder={placeholder}>
                {options.find((option) => option.value === value)?.label ?? placeholder}
              </Radix.Value>
            </span>
            <Radix.Icon asChild>
              <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
            </Radix.Icon>
          </Radix.Trigger>
          <Radix.Portal>
            <Radix.Content position="popper" sideOffset={4} collisionPadding={8} className={floatingList}>
              <Radix.Viewport className="max-h-80 min-w-[var(--radix-select-trigger-width)] p-1">
                {options.map((option) => (
                  <Radix.Item key={option.value} value={option.value} disabled={option.disabled} className={listItem}>
                    <Radix.ItemText>{option.label}</Radix.ItemText>
                    {option.detail && <span className="text-small text-muted">{option.detail}</span>}
                    <Radix.ItemIndicator className="ms-auto">
                      <Check aria-hidden className="size-4 text-accent" />
                    </Radix.ItemIndicator>
                  </Radix.Item>
                ))}
              </Radix.Viewport>
            </Radix.Content>
          </Radix.Portal>
        </Radix.Root>
      )}
    </Field>
  );
}
