"use client";

import { useRouter } from "next/navigation";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useId, useMemo, useState } from "react";
import { ConfirmDialog } from "#app/_ui/confirm-dialog.tsx";

interface Guard {
  /** Tells whether something of the caller's is not saved. */
  note: (id: string, unsaved: boolean) => void;
  /** Goes to another screen, after a question where something would be lost. */
  go: (href: string) => void;
}

const GuardContext = createContext<Guard | null>(null);

/**
 * Asks before a screen with unsaved changes is left: by a link, the palette or the browser's back. Leaving the product itself
 * the browser asks about.
 */
export function LeaveGuard({ children }: { children: ReactNode }) {
  const router = useRouter();
  const [unsaved, setUnsaved] = useState<readonly string[]>([]);
  const [leave, setLeave] = useState<(() => void) | null>(null);
  const isUnsaved = unsaved.length > 0;
  const ask = useCallback((then: () => void) => setLeave(() => then), []);
  useEffect(() => (isUnsaved ? watchWaysOut(ask, (href) => router.push(href)) : undefined), [isUnsaved, ask, router]);
  const guard = useMemo(
    (): Guard => ({
      note: (id, now) =>
        setUnsaved((all) => (now ? [...all.filter((one) => one !== id), id] : all.filter((one) => one !== id))),
      go: (href) => (isUnsaved && isAnotherScreen(href) ? ask(() => router.push(href)) : router.push(href)),
    }),
    [isUnsaved, ask, router],
  );
  return (
    <GuardContext value={guard}>
      {children}
      <ConfirmDialog
        open={leave !== null}
        onOpenChange={(open) => !open && setLeave(null)}
        title="Leave without saving?"
        confirmLabel="Leave without saving"
        danger
        onConfirm={() => leave?.()}
      >
        What you changed on this screen is not saved and would be lost.
      </ConfirmDialog>
    </GuardContext>
  );
}

/** While `unsaved`, nobody leaves the screen without being asked. */
export function useUnsaved(unsaved: boolean): void {
  const id = useId();
  const note = useGuard().note;
  useEffect(() => {
    note(id, unsaved);
    return () => note(id, false);
  }, [note, id, unsaved]);
}

/** Goes to another screen by other means than a link. */
export const useGo = () => useGuard().go;

function useGuard(): Guard {
  const guard = useContext(GuardContext);
  if (!guard) throw new Error("LeaveGuard is missing around this.");
  return guard;
}

/** Another address of the same screen (a tab, a filter) loses nothing. */
const isAnotherScreen = (href: string) => new URL(href, window.location.href).pathname !== window.location.pathname;

function watchWaysOut(ask: (then: () => void) => void, push: (href: string) => void): () => void {
  let isLeaving = false;
  const unload = (event: BeforeUnloadEvent) => event.preventDefault();
  const click = (event: MouseEvent) => {
    const href = addressOpened(event);
    if (href === null || !isAnotherScreen(href)) return;
    event.preventDefault();
    event.stopPropagation();
    ask(() => push(href));
  };
  // Back and forward can only be held where the browser lets itself be asked.
  const { navigation } = window as { navigation?: Navigation };
  const traverse = (event: NavigateEvent) => {
    const { navigationType, cancelable, destination } = event;
    if (isLeaving || navigationType !== "traverse" || !cancelable || !isAnotherScreen(destination.url)) return;
    event.preventDefault();
    ask(() => {
      isLeaving = true;
      navigation?.traverseTo(destination.key);
    });
  };
  window.addEventListener("beforeunload", unload);
  // Before the framework's own links hear of it.
  document.addEventListener("click", click, { capture: true });
  navigation?.addEventListener("navigate", traverse);
  return () => {
    window.removeEventListener("beforeunload", unload);
    document.removeEventListener("click", click, { capture: true });
    navigation?.removeEventListener("navigate", traverse);
  };
}

/** Where a click leads in this window and inside the product; null where it leads nowhere, elsewhere, or saves a file. */
function addressOpened(event: MouseEvent): string | null {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || event.button !== 0 || event.defaultPrevented) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const { origin, pathname, href } = new URL(link.href);
  const staysHere = (link.target === "" || link.target === "_self") && !link.hasAttribute("download");
  return staysHere && origin === window.location.origin && !pathname.startsWith("/api/") ? href : null;
}
