"use client";

import { Command } from "cmdk";
import { Check, ChevronDown } from "lucide-react";
import { Popover as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { cn } from "./class-names.ts";
import { controlClasses, Field, type FieldProps } from "./field.tsx";
import { floatingList } from "./menu-style.ts";
import type { Option } from "./select.tsx";

type ComboboxProps = FieldProps & {
  value: string | null;
  onChange: (value: string | null) => void;
  options: readonly Option[];
  /** Adds a first choice that clears the value, e.g. "Anyone". */
  anyLabel?: string;
  placeholder?: string;
  disabled?: boolean;
  inline?: boolean;
  /** Given, the caller filters (at a server, say) and the list is shown as it comes. */
  onQueryChange?: (query: string) => void;
  loading?: boolean;
  emptyText?: ReactNode;
  className?: string;
};

/** One of many, found by typing. */
export function Combobox({
  value,
  onChange,
  options,
  anyLabel,
  placeholder = "Choose…",
  disabled,
  inline = false,
  onQueryChange,
  loading = false,
  emptyText = "Nothing matches",
  className,
  ...field
}: ComboboxProps) {
  const [open, setOpen] = useState(false);
  const chosen = options.find((option) => option.value === value)?.label ?? value;
  const shown = chosen ?? anyLabel ?? placeholder;

  const choose = (next: string | null) => {
    onChange(next);
    setOpen(false);
  };

  return (
    <Field {...field} labelHidden={field.labelHidden ?? inline}>
      {(control) => (
        <Radix.Root open={open} onOpenChange={setOpen}>
          <Radix.Trigger
            {...control}
            disabled={disabled}
            aria-label={inline || field.labelHidden ? `${field.label}: ${shown}` : undefined}
            className={cn(
              controlClasses,
              "flex items-center justify-between gap-1.5 text-start",
              inline && "w-auto max-w-64 border-line hover:bg-hover",
              className,
            )}
          >
            <span className={cn("truncate", !chosen && !anyLabel && "text-muted")}>
              {inline && <span className="text-muted">{field.label}: </span>}
              {shown}
            </span>
            <ChevronDown aria-hidden className="size-4 shrink-0 text-muted" />
          </Radix.Trigger>
          <Radix.Portal>
            <Radix.Content
              align="start"
              sideOffset={4}
              collisionPadding={8}
              className={cn(floatingList, "w-72 min-w-[var(--radix-popover-trigger-width)]")}
            >
              <Command label={field.label} shouldFilter={!onQueryChange} loop>
                <Command.Input
                  placeholder="Type to find…"
                  onValueChange={onQueryChange}
                  data-focus="inset"
                  className="h-9 w-full border-b border-line bg-transparent px-3 text-body focus-visible:outline-none"
                />
                <Command.List className="max-h-72 overflow-y-auto p-1" aria-busy={loading}>
                  <Command.Empty className="px-2 py-3 text-table text-muted">
                    {loading ? "Looking…" : emptyText}
                  </Command.Empty>
                  {anyLabel && (
                    <ComboboxItem value={anyLabel} selected={value === null} onSelect={() => choose(null)} />
                  )}
                  {options.map((option) => (
                    <ComboboxItem
                      key={option.value}
                      value={option.label}
                      keywords={[option.value]}
                      detail={option.detail}
                      disabled={option.disabled}
                      selected={option.value === value}
                      onSelect={() => choose(option.value)}
                    />
                  ))}
                </Command.List>
              </Command>
            </Radix.Content>
          </Radix.Portal>
        </Radix.Root>
      )}
    </Field>
  );
}

type ComboboxItemProps = {
  value: string;
  keywords?: string[];
  detail?: ReactNode;
  disabled?: boolean;
  selected: boolean;
  onSelect: () => void;
};

function ComboboxItem({ value, keywords, detail, disabled, selected, onSelect }: ComboboxItemProps) {
  // Two people may bear one name: the keyword keeps their items apart.
  const identity = keywords ? `${value} ${keywords.join(" ")}` : value;
  return (
    <Command.Item
      value={identity}
      keywords={keywords}
      disabled={disabled}
      onSelect={onSelect}
      className="flex min-h-7 cursor-default items-center gap-2 rounded px-2 py-1 text-body data-[selected=true]:bg-hover data-[disabled=true]:opacity-60"
    >
      <span className="min-w-0 truncate">{value}</span>
      {detail && <span className="min-w-0 truncate text-small text-muted">{detail}</span>}
      {selected && <Check aria-label="chosen" className="ms-auto size-4 shrink-0 text-accent" />}
    </Command.Item>
  );
}
