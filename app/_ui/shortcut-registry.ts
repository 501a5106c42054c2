type Shortcut = { id: string; keys: string; label: string; depth: number; run: () => void };

/** What is bound to which key, layer by layer. One instance listens to the document. */
export class ShortcutRegistry {
  singleKeysEnabled = true;
  private shortcuts: readonly Shortcut[] = [];
  private openLayers: number[] = [];
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };

  readonly list = () => this.shortcuts;

  readonly add = (shortcut: Shortcut) => {
    this.replace([...this.shortcuts, shortcut]);
    return () => this.replace(this.shortcuts.filter((other) => other !== shortcut));
  };

  readonly openLayer = (depth: number) => {
    this.openLayers.push(depth);
    return () => {
      this.openLayers.splice(this.openLayers.indexOf(depth), 1);
    };
  };

  readonly press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const combined = event.ctrlKey || event.metaKey;
    if (!combined && (!this.singleKeysEnabled || takesText(event.target))) return;
    const pressed = combined ? `mod+${event.key.toLowerCase()}` : event.key;
    const topLayer = Math.max(0, ...this.openLayers);
    const shortcut = this.shortcuts.findLast(({ keys, depth }) => keys === pressed && depth >= topLayer);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run();
  };

  private replace(shortcuts: readonly Shortcut[]) {
    this.shortcuts = shortcuts;
    for (const listener of this.listeners) listener();
  }
}

/** Whether a key pressed there is text, or a jump in an open list. */
function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.closest("input, textarea, select, [role=listbox], [role=menu]") !== null;
}
