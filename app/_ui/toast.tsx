"use client";

import { CircleAlert, CircleCheck, Info } from "lucide-react";
import { Toaster as Sonner } from "sonner";
import { useTheme } from "./theme.ts";

export { toast } from "sonner";

/** Where short reports of what was just done appear. Rendered once, by the providers. */
export function Toaster() {
  const [theme] = useTheme();
  return (
    <Sonner
      theme={theme}
      position="bottom-right"
      duration={6000}
      closeButton
      icons={{
        success: <CircleCheck aria-hidden className="size-4 text-good" />,
        error: <CircleAlert aria-hidden className="size-4 text-bad" />,
        info: <Info aria-hidden className="size-4 text-accent" />,
      }}
      toastOptions={{
        classNames: {
          toast: "!bg-floating !text-ink !border-0 !shadow-floating !rounded-control !font-sans !text-table",
          description: "!text-muted",
          actionButton: "!bg-accent-fill !text-on-accent !h-7",
          closeButton: "!bg-floating !text-muted !border-line",
        },
      }}
    />
  );
}
