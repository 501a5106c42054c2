import { type ReactNode, useId } from "react";
import { cn } from "./class-names.ts";

type SectionProps = {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  /** Where a link to this part leads: `#anchor`. */
  anchor?: string;
  children: ReactNode;
  className?: string;
};

/** A titled part of a screen, parted by air and a hairline instead of a box. */
export function Section({ title, description, actions, anchor, children, className }: SectionProps) {
  const id = useId();
  return (
    <section id={anchor} aria-labelledby={id} className={cn("flex min-w-0 scroll-mt-4 flex-col", className)}>
      <header className="mb-3 flex flex-wrap items-end gap-x-4 gap-y-2 border-b border-line pb-2">
        <div className="min-w-0 flex-1 basis-40">
          <h2 id={id} className="text-body font-semibold">
            {title}
          </h2>
          {description && <p className="text-table text-muted">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** Facts in two columns: term and value. */
export function Facts({ facts }: { facts: readonly { term: string; value: ReactNode }[] }) {
  return (
    <dl className="grid grid-cols-[minmax(96px,max-content)_1fr] gap-x-6 gap-y-2 text-table">
      {facts.map(({ term, value }) => (
        <div key={term} className="contents">
          <dt className="text-muted">{term}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
