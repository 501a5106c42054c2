"use client";

import { useMemo, useRef } from "react";

/**
 * Focus on opening and closing a radix dialog. Opened, the focus goes to its first field, or with "panel" to the whole
 * of it, so that the close button never stands first; with "own" to where the dialog has it itself. Closed, it returns to
 * what had it, also where state opened the dialog and no trigger, which radix leaves to us.
 */
export function useReturnFocus(first: "field" | "panel" | "own" = "field") {
  const opener = useRef<HTMLElement | null>(null);
  return useMemo(
    () => ({
      onOpenAutoFocus: (event: Event) => {
        opener.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
        const panel = event.target;
        if (first === "own" || !(panel instanceof HTMLElement)) return;
        event.preventDefault();
        const field = first === "field" ? panel.querySelector<HTMLElement>("input, textarea, select") : null;
        (field ?? panel).focus();
      },
      onCloseAutoFocus: (event: Event) => {
        if (!opener.current?.isConnected) return;
        event.preventDefault();
        opener.current.focus();
      },
    }),
    [first],
  );
}
