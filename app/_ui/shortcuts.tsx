"use client";

import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { ShortcutRegistry } from "./shortcut-registry.ts";
import { useStoredChoice } from "./stored-choice.ts";

const RegistryContext = createContext<ShortcutRegistry | null>(null);
const LayerContext = createContext(0);

/** Listens for the shortcuts of everything below it. Rendered once, by the providers. */
export function ShortcutsProvider({ children }: { children: ReactNode }) {
  const [registry] = useState(() => new ShortcutRegistry());
  const [enabled] = useSingleKeyShortcuts();
  useEffect(() => {
    registry.singleKeysEnabled = enabled;
  }, [registry, enabled]);
  useEffect(() => {
    document.addEventListener("keydown", registry.press);
    return () => document.removeEventListener("keydown", registry.press);
  }, [registry]);
  return <RegistryContext value={registry}>{children}</RegistryContext>;
}

/** Whether shortcuts of one key are on, and how to switch them (WCAG 2.1.4); combinations always work. */
export function useSingleKeyShortcuts(): [boolean, (enabled: boolean) => void] {
  const [choice, choose] = useStoredChoice("single-key-shortcuts", ["on", "off"]);
  return [choice === "on", (enabled) => choose(enabled ? "on" : "off")];
}

/** While it is mounted, only the shortcuts inside it answer: the page behind a dialog stays silent. */
export function ShortcutLayer({ children }: { children: ReactNode }) {
  const registry = useContext(RegistryContext);
  const depth = useContext(LayerContext) + 1;
  useEffect(() => registry?.openLayer(depth), [registry, depth]);
  return <LayerContext value={depth}>{children}</LayerContext>;
}

type ShortcutOptions = {
  /** A key as `KeyboardEvent.key` names it ("/", "j", "?"), or with Ctrl/⌘: "mod+k". */
  keys: string;
  /** What it does, for the list behind `?`. */
  label: string;
  run: () => void;
  enabled?: boolean;
};

/** Binds a key while the component is mounted. Of two bound to one key in the same layer, the later one answers. */
export function useShortcut({ keys, label, run, enabled = true }: ShortcutOptions) {
  const registry = useContext(RegistryContext);
  const depth = useContext(LayerContext);
  const id = useId();
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    if (!enabled || !registry) return;
    return registry.add({ id, keys, label, depth, run: () => latest.current() });
  }, [registry, id, keys, label, depth, enabled]);
}

/** The shortcuts that are bound now, for the list. */
export function useBoundShortcuts(): readonly { keys: string; label: string }[] {
  const registry = useContext(RegistryContext);
  const source = useMemo(() => registry ?? new ShortcutRegistry(), [registry]);
  return useSyncExternalStore(source.subscribe, source.list, source.list);
}
