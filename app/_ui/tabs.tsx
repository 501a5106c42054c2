"use client";

import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";
import { fadingEdges, useChosenInView } from "./fading-edges.ts";
import { Num } from "./num.tsx";

export type Tab<Value extends string> = {
  value: Value;
  label: string;
  /** Small and muted beside the label. */
  count?: ReactNode;
  content: ReactNode;
};

type TabsProps<Value extends string> = {
  label: string;
  value: Value;
  onChange: (value: Value) => void;
  tabs: readonly Tab<Value>[];
};

/** Views of one thing, one at a time. The caller keeps the value, as a rule in the URL. */
export function Tabs<Value extends string>({ label, value, onChange, tabs }: TabsProps<Value>) {
  const strip = useChosenInView(`[data-value="${value}"]`);
  return (
    <Radix.Root value={value} onValueChange={(next) => onChange(next as Value)}>
      <Radix.List ref={strip} aria-label={label} className={cn("flex gap-4 border-b border-line px-1", fadingEdges)}>
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.value}
            value={tab.value}
            data-value={tab.value}
            data-focus="inset"
            className="-mb-px flex h-9 shrink-0 items-center gap-1.5 border-b-2 border-transparent px-0.5 text-body text-muted hover:text-ink data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink"
          >
            {tab.label}
            {tab.count != null && (
              <span className="text-small font-normal text-muted">
                {typeof tab.count === "number" ? <Num value={tab.count} /> : tab.count}
              </span>
            )}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value} data-focus="inset" className="pt-4">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
