/** So much raw text is shown at once; a poison row may be megabytes. */
export const MOST_SHOWN = 20_000;

// What a screen would swallow or obey: controls, zero widths, marks that turn the direction of text, lone surrogates.
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** Raw text as it can be looked at safely: what cannot be seen, or would move what is seen, as its code. */
export function visibleText(raw: string): string {
  return raw
    .slice(0, MOST_SHOWN)
    .replace(unseen, (mark) => `\\u${(mark.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`);
}
