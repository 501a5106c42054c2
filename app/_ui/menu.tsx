"use client";

import { Check } from "lucide-react";
import { DropdownMenu as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import { cn } from "./class-names.ts";
import { floatingList, listItem } from "./menu-style.ts";

type MenuProps = { trigger: ReactElement; children: ReactNode; align?: "start" | "end"; label?: string };

/** Actions behind a button. Children: `MenuItem`, `MenuChoice`, `MenuLabel`, `MenuLine`. */
export function Menu({ trigger, children, align = "end", label }: MenuProps) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          className={cn(floatingList, "p-1")}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

type MenuItemProps = {
  onSelect?: () => void;
  icon?: ReactNode;
  disabled?: boolean;
  danger?: boolean;
  /** Renders the single child (a link, say) as the item. */
  asChild?: boolean;
  children: ReactNode;
};

export function MenuItem({ onSelect, icon, disabled, danger, asChild, children }: MenuItemProps) {
  return (
    <Radix.Item
      onSelect={onSelect}
      disabled={disabled}
      asChild={asChild}
      className={cn(listItem, "text-ink", danger && "text-bad")}
    >
      {asChild ? (
        children
      ) : (
        <>
          {icon}
          {children}
        </>
      )}
    </Radix.Item>
  );
}

type MenuChoiceProps<Value extends string> = {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string }[];
  onChange: (value: Value) => void;
};

/** One of a few, inside a menu; the menu stays open. */
export function MenuChoice<Value extends string>({ label, value, options, onChange }: MenuChoiceProps<Value>) {
  return (
    <Radix.RadioGroup value={value} onValueChange={(next) => onChange(next as Value)} aria-label={label}>
      <MenuLabel>{label}</MenuLabel>
      {options.map((option) => (
        <Radix.RadioItem
          key={option.value}
          value={option.value}
          onSelect={(event) => event.preventDefault()}
          className={listItem}
        >
          {option.label}
          <Radix.ItemIndicator className="ms-auto">
            <Check aria-hidden className="text-accent" />
          </Radix.ItemIndicator>
        </Radix.RadioItem>
      ))}
    </Radix.RadioGroup>
  );
}

type MenuToggleProps = { checked: boolean; onChange: (checked: boolean) => void; children: ReactNode };

/** On or off, inside a menu; the menu stays open. */
export function MenuToggle({ checked, onChange, children }: MenuToggleProps) {
  return (
    <Radix.CheckboxItem
      checked={checked}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
      className={listItem}
    >
      {children}
      <Radix.ItemIndicator className="ms-auto">
        <Check aria-hidden className="text-accent" />
      </Radix.ItemIndicator>
    </Radix.CheckboxItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2 pt-1.5 pb-1 text-small text-muted">{children}</Radix.Label>;
}

export function MenuLine() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />;
}
