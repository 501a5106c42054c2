import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import { NuqsTestingAdapter } from "nuqs/adapters/testing";
import type { ReactNode } from "react";
import { afterEach } from "vitest";
import { LocaleProvider } from "#app/_ui/locale.tsx";
import { ShortcutsProvider } from "#app/_ui/shortcuts.tsx";
import { TooltipProvider } from "#app/_ui/tooltip.tsx";

afterEach(cleanup);

/** Renders in all that the root layout provides: locale "en", shortcuts, tooltips, URL state, a query cache of its own. */
export function renderUi(node: ReactNode, { search = "" }: { search?: string } = {}) {
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const wrap = (children: ReactNode) => (
    <NuqsTestingAdapter searchParams={search} hasMemory>
      <QueryClientProvider client={queryClient}>
        <LocaleProvider locale="en">
          <ShortcutsProvider>
            <TooltipProvider>{children}</TooltipProvider>
          </ShortcutsProvider>
        </LocaleProvider>
      </QueryClientProvider>
    </NuqsTestingAdapter>
  );
  const { rerender, ...rest } = render(wrap(node));
  return { ...rest, rerender: (next: ReactNode) => rerender(wrap(next)) };
}

/** A browser without layout gives every element no size; virtualised rows need one to appear in. */
export function giveElementsSize(width: number, height: number) {
  Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => width });
  Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => height });
}
