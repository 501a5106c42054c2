/**
 * Instants and lengths of time in words, for what is stored or sent as text: the same wherever and whenever it is read. So an
 * instant is absolute and its zone named, never an age; screens show it in the reader's own zone.
 */

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
] as const;

/** "2026-11-22 08:41 UTC" */
export function instantWords(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** "9 minutes", "2 days": in the largest unit of which there are at least two, rounded down. */
export function lengthWords(milliseconds: number): string {
  const length = Math.abs(milliseconds);
  const [unit, size] = units.find(([, size]) => length >= 2 * size) ?? units[3];
  const count = Math.floor(length / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
