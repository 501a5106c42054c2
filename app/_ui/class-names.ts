import { type ClassValue, clsx } from "clsx";
import { extendTailwindMerge } from "tailwind-merge";

// The theme names its own sizes, which the merger would otherwise take for text colours.
const merge = extendTailwindMerge({
  extend: { classGroups: { "font-size": [{ text: ["small", "table", "body", "title", "key"] }] } },
});

/** Joins class names; of two Tailwind classes for the same property the later one wins. */
export function cn(...classes: ClassValue[]): string {
  return merge(clsx(classes));
}
