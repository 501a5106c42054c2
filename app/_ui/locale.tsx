"use client";

import { createContext, type ReactNode, useContext, useSyncExternalStore } from "react";

const LocaleContext = createContext("en");

/** Gives the tree one locale, taken from the request, so that server and browser write the same numbers. */
export function LocaleProvider({ locale, children }: { locale: string; children: ReactNode }) {
  return <LocaleContext value={locale}>{children}</LocaleContext>;
}

/** The reader's locale (BCP 47) for numbers and dates. */
export function useLocale(): string {
  return useContext(LocaleContext);
}

const never = () => () => {};

/** The reader's own time zone (IANA name); UTC until the browser has taken over the page. */
export function useTimeZone(): string {
  return useSyncExternalStore(
    never,
    () => Intl.DateTimeFormat().resolvedOptions().timeZone,
    () => "UTC",
  );
}
