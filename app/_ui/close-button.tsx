import { X } from "lucide-react";
import type { ComponentProps } from "react";

/** The cross of a dialog. Without a tooltip: an open one would take the Escape that is meant for the dialog. */
export function CloseButton({ label = "Close", ...rest }: Omit<ComponentProps<"button">, "type"> & { label?: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      className="inline-flex size-8 shrink-0 items-center justify-center rounded-control text-ink hover:bg-hover"
      {...rest}
    >
      <X aria-hidden className="size-4" />
    </button>
  );
}
