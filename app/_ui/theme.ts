"use client";

import { useEffect } from "react";
import { useStoredChoice } from "./stored-choice.ts";
import { THEME_KEY } from "./theme-script.ts";

export type Theme = "system" | "light" | "dark";

const THEMES = ["system", "light", "dark"] as const;

/** The reader's theme and how to change it; "system" follows the device. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useStoredChoice<Theme>(THEME_KEY, THEMES);
  return [theme, setTheme];
}

/** Keeps the document's `data-theme` at the reader's choice. Rendered once, by the providers. */
export function ThemeKeeper() {
  const [theme] = useTheme();
  useEffect(() => {
    const root = document.documentElement;
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }, [theme]);
  return null;
}
