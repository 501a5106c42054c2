"use client";

import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";
import { controlClasses, Field, type FieldProps } from "./field.tsx";

type TextFieldProps = FieldProps &
  Omit<ComponentProps<"input">, "id" | "onChange" | "value"> & {
    value: string;
    onChange: (value: string) => void;
  };

/** One line of text with its label, hint and error. */
export function TextField({
  label,
  labelHidden,
  hint,
  error,
  required,
  value,
  onChange,
  className,
  ...rest
}: TextFieldProps) {
  return (
    <Field label={label} labelHidden={labelHidden} hint={hint} error={error} required={required}>
      {(control) => (
        <input
          {...control}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className={cn(controlClasses, className)}
          {...rest}
        />
      )}
    </Field>
  );
}

type TextAreaProps = FieldProps &
  Omit<ComponentProps<"textarea">, "id" | "onChange" | "value"> & {
    value: string;
    onChange: (value: string) => void;
  };

/** Several lines of text with their label, hint and error. */
export function TextArea({
  label,
  labelHidden,
  hint,
  error,
  required,
  value,
  onChange,
  className,
  ...rest
}: TextAreaProps) {
  return (
    <Field label={label} labelHidden={labelHidden} hint={hint} error={error} required={required}>
      {(control) => (
        <textarea
          {...control}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className={cn(controlClasses, "h-auto min-h-20 py-1.5", className)}
          {...rest}
        />
      )}
    </Field>
  );
}
