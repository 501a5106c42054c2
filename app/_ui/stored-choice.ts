"use client";

import { useCallback, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

function subscribe(onChange: () => void) {
  listeners.add(onChange);
  window.addEventListener("storage", onChange);
  return () => {
    listeners.delete(onChange);
    window.removeEventListener("storage", onChange);
  };
}

// Storage may be forbidden (private windows, policies): the choice then lasts as long as the page.
const unsaved = new Map<string, string>();

function read(key: string): string | null {
  const kept = unsaved.get(key);
  if (kept !== undefined) return kept;
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string) {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    unsaved.set(key, value);
  }
  for (const listener of listeners) listener();
}

/** A choice of this browser, remembered in its storage and shared by all its tabs. `options[0]` is the default. */
export function useStoredChoice<Choice extends string>(
  key: string,
  options: readonly [Choice, ...Choice[]],
): [Choice, (choice: Choice) => void] {
  const stored = useSyncExternalStore(
    subscribe,
    () => read(key),
    () => null,
  );
  const choose = useCallback((choice: Choice) => write(key, choice), [key]);
  return [options.find((option) => option === stored) ?? options[0], choose];
}
