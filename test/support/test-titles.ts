import { readFileSync } from "node:fs";

export interface TestTitle {
  title: string;
  /** It may not run, or not have to pass: skip, todo, fails, or a condition other than being on Linux. */
  isSkipped: boolean;
}

/** The titles of the tests of a file as they stand in its source: those of `.each` with their placeholders. */
export function titlesIn(file: string): TestTitle[] {
  return titlesOf(readFileSync(file, "utf8"));
}

export function titlesOf(source: string): TestTitle[] {
  const found: TestTitle[] = [];
  const wholeFile = /^\s*(describe|suite)\.(skip|todo|skipIf|runIf)\b/m.test(source);
  for (const call of source.matchAll(/^[ \t]*(?:test|it)((?:\.\w+)*)(?:<[^()]*?>)?(?=[(`])/gm)) {
    const start = call.index + call[0].length;
    // `.each(rows)("title"`: the rows come first.
    const at = /\.(each|for|skipIf|runIf)$/.test(call[1] ?? "") ? endOfBrackets(source, start) : start;
    const modifiers = source.slice(start, at) === onServers ? "" : (call[1] ?? "");
    const title = firstString(source, at);
    if (title === null) continue;
    const isSkipped = wholeFile || /\.(skip|todo|fails|skipIf|runIf)\b/.test(modifiers);
    found.push({ title, isSkipped });
  }
  return found;
}

/** The string that is the first argument of the call whose bracket opens at `at`; null for anything else. */
function firstString(source: string, at: number): string | null {
  const text = source.slice(at);
  const written = /^\(\s*("(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\\n])*')/.exec(text)?.[1];
  if (written === undefined) return null;
  return written.startsWith('"') ? (JSON.parse(written) as string) : written.slice(1, -1);
}

/** A condition that always holds where the product is served. */
const onServers = '(process.platform === "linux")';

const closing = new Set([")", "]", "}"]);
const opening = new Set(["(", "[", "{"]);

/** Just after the bracket that closes the one at `at`, whatever strings, templates and comments hold. */
function endOfBrackets(source: string, at: number): number {
  let depth = 0;
  const piece = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*|[()[\]{}]/g;
  piece.lastIndex = at;
  for (let found = piece.exec(source); found !== null; found = piece.exec(source)) {
    if (opening.has(found[0])) depth++;
    else if (closing.has(found[0])) depth--;
    if (depth === 0) return piece.lastIndex;
  }
  return source.length;
}
