"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { reasonOf } from "./error-state.tsx";
import { IconButton } from "./icon-button.tsx";
import { toast } from "./toast.tsx";

/** Copies a text, or what is fetched for it; says that it did. `label` names what is copied: "Copy the key". */
export function CopyButton({ text, label }: { text: string | (() => Promise<string>); label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);

  const copy = async () => {
    try {
      await writeToClipboard(typeof text === "string" ? text : await text());
      setCopied(true);
    } catch (error) {
      toast.error(reasonOf(error));
    }
  };

  return (
    <>
      <IconButton
        size="sm"
        label={label}
        icon={copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
        onClick={copy}
      />
      <span role="status" className="sr-only">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}

async function writeToClipboard(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch (error) {
    const message = "The browser did not allow copying. Select the text and copy it by hand.";
    throw new Error(message, { cause: error });
  }
}
