"use client";

import { useSyncExternalStore } from "react";

const never = () => () => {};
const onApple = () => /Mac|iPhone|iPad/.test(navigator.platform);

/** A key or a combination: `keys="mod+k"` shows ⌘K or Ctrl K. */
export function Kbd({ keys }: { keys: string }) {
  const apple = useSyncExternalStore(never, onApple, () => false);
  return (
    <span className="inline-flex gap-0.5">
      {keys.split("+").map((key) => (
        <kbd
          key={key}
          className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line bg-sunken px-1 font-sans text-small text-muted"
        >
          {keyName(key, apple)}
        </kbd>
      ))}
    </span>
  );
}

function keyName(key: string, apple: boolean): string {
  if (key === "mod") return apple ? "⌘" : "Ctrl";
  const names: Record<string, string> = { enter: "↵", escape: "Esc", up: "↑", down: "↓", left: "←", right: "→" };
  return names[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}
