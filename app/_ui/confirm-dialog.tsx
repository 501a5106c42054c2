"use client";

import { AlertDialog as Radix } from "radix-ui";
import { type ReactElement, type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { reasonOf } from "./error-state.tsx";
import { Notice } from "./notice.tsx";
import { useReturnFocus } from "./return-focus.ts";
import { ShortcutLayer } from "./shortcuts.tsx";
import { TextField } from "./text-field.tsx";

type ConfirmDialogProps = {
  trigger?: ReactElement;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  /** The question: "Delete this key?" */
  title: string;
  /** What will happen and whether it can be undone. */
  children: ReactNode;
  /** The verb of the button. */
  confirmLabel: string;
  /** Awaited; when it throws, the dialog stays and says why. */
  onConfirm: () => unknown;
  danger?: boolean;
  /** Must be typed before the button can be pressed: for what destroys much. */
  typeToConfirm?: string;
};

/** Asks before something that is hard to undo. */
export function ConfirmDialog({
  trigger,
  open: givenOpen,
  onOpenChange,
  title,
  children,
  confirmLabel,
  onConfirm,
  danger = false,
  typeToConfirm,
}: ConfirmDialogProps) {
  const [ownOpen, setOwnOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const open = givenOpen ?? ownOpen;
  const returnFocus = useReturnFocus(typeToConfirm ? "field" : "own");

  const setOpen = (next: boolean) => {
    if (busy) return;
    setOwnOpen(next);
    onOpenChange?.(next);
    setFailure(null);
    setTyped("");
  };

  const confirm = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await onConfirm();
      setOwnOpen(false);
      onOpenChange?.(false);
      setTyped("");
    } catch (error) {
      setFailure(reasonOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Radix.Root open={open} onOpenChange={setOpen}>
      {trigger && <Radix.Trigger asChild>{trigger}</Radix.Trigger>}
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-50 animate-fade-in bg-scrim" />
        <Radix.Content
          {...returnFocus}
          className="fixed top-1/2 left-1/2 z-50 flex max-h-[calc(100dvh-32px)] w-[calc(100vw-32px)] max-w-[440px] -translate-1/2 animate-fade-in flex-col gap-3 overflow-y-auto rounded-lg bg-floating p-4 shadow-floating"
        >
          <ShortcutLayer>
            <Radix.Title className="text-body font-semibold">{title}</Radix.Title>
            <Radix.Description asChild>
              <div className="text-table text-muted">{children}</div>
            </Radix.Description>
            {typeToConfirm && (
              <TextField
                label={`Type “${typeToConfirm}” to go on`}
                value={typed}
                onChange={setTyped}
                autoComplete="off"
              />
            )}
            {failure && <Notice kind="failure" announce title={failure} />}
            <div className="mt-1 flex flex-wrap justify-end gap-2">
              <Radix.Cancel asChild>
                <Button disabled={busy}>Cancel</Button>
              </Radix.Cancel>
              <Button
                variant={danger ? "danger" : "primary"}
                busy={busy}
                disabled={typeToConfirm !== undefined && typed !== typeToConfirm}
                onClick={confirm}
              >
                {confirmLabel}
              </Button>
            </div>
          </ShortcutLayer>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
