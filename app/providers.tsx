"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode, useState } from "react";
import { createQueryClient } from "./_queries/client.ts";
import { LocaleProvider } from "./_ui/locale.tsx";
import { ShortcutsProvider } from "./_ui/shortcuts.tsx";
import { ThemeKeeper } from "./_ui/theme.ts";
import { Toaster } from "./_ui/toast.tsx";
import { TooltipProvider } from "./_ui/tooltip.tsx";

/** Everything that the whole tree shares in the browser. */
export function Providers({ locale, children }: { locale: string; children: ReactNode }) {
  const [queryClient] = useState(createQueryClient);
  return (
    <NuqsAdapter>
      <QueryClientProvider client={queryClient}>
        <LocaleProvider locale={locale}>
          <ShortcutsProvider>
            <TooltipProvider>
              {children}
              <Toaster />
              <ThemeKeeper />
            </TooltipProvider>
          </ShortcutsProvider>
        </LocaleProvider>
      </QueryClientProvider>
    </NuqsAdapter>
  );
}
