/** No text of Zendesk's that the product shows is meant to be longer; what is, is cut. */
export const longestText = 100_000;

type WellFormed = string & { isWellFormed(): boolean; toWellFormed(): string };

/** Whether a text needs the gate at all. */
export function isClean(text: string): boolean {
  return !text.includes("\u0000") && (text as WellFormed).isWellFormed();
}

/** The one gate for text before any write (rows 53, 54): no NUL, no lone surrogates, at most `limit` code points. */
export function cleanText(text: string, limit = longestText): string {
  const clean = isClean(text) ? text : (text.replaceAll("\u0000", "") as WellFormed).toWellFormed();
  return clean.length <= limit ? clean : cutAt(clean, limit);
}

/** Cuts between code points, never inside a surrogate pair. */
export function cutAt(text: string, codePoints: number): string {
  let units = 0;
  for (let taken = 0; taken < codePoints && units < text.length; taken++) {
    units += (text.codePointAt(units) as number) > 0xffff ? 2 : 1;
  }
  return text.slice(0, units);
}
