"use client";

import { CircleAlert } from "lucide-react";
import { type ReactNode, useId } from "react";

export type FieldProps = {
  label: string;
  /** Keeps the label for screen readers only, where the place says what it is (a filter bar). */
  labelHidden?: boolean;
  /** What to write, before anything is wrong. */
  hint?: ReactNode;
  /** What is wrong and how to mend it. */
  error?: string | null;
  required?: boolean;
};

type ControlAttributes = {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
  "aria-required": true | undefined;
};

export const controlClasses =
  "h-8 w-full rounded-control border border-edge bg-canvas px-2.5 text-body text-ink placeholder:text-muted disabled:opacity-60 aria-invalid:border-bad";

/** Label, hint and error around one control, joined by ids. */
export function Field({
  label,
  labelHidden,
  hint,
  error,
  required,
  children,
}: FieldProps & { children: (control: ControlAttributes) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <label htmlFor={id} className={labelHidden ? "sr-only" : "text-table font-medium text-ink"}>
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described || undefined,
        "aria-invalid": error ? true : undefined,
        "aria-required": required || undefined,
      })}
      {hint && (
        <p id={`${id}-hint`} className="text-small text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="flex items-start gap-1 text-small text-bad">
          <CircleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          {error}
        </p>
      )}
    </div>
  );
}
