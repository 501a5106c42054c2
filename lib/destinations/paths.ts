/**
 * Where something stands in an event: `$.traits.email`, `$.traits['first name']`, `$.properties.items[0].sku`, or
 * `$.properties.items[*].sku` for all of them. Several, joined by ` | `, mean the first that is there:
 * `$.context.traits.email | $.traits.email`.
 */
export type Path = readonly Step[];
type Step = string | number | typeof each;
const each = Symbol("each");

const longest = 20;
const step = /\.([^\s.[\]|'"]+)|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]|\[(\d{1,6})\]|\[(\*)\]/y;

/** Paths as they were read, by their text: the same for every account. */
const known = new Map<string, readonly Path[]>();
const mostKnown = 5_000;

/** The paths that the text names, in order. Throws an Error that says what is wrong and where. */
export function readPaths(text: string): readonly Path[] {
  const found = known.get(text);
  if (found) return found;
  const paths = alternatives(text).map(readPath);
  if (known.size >= mostKnown) known.clear();
  known.set(text, paths);
  return paths;
}

/** The first value that is there: neither missing nor null. */
export function valueAt(event: unknown, paths: readonly Path[]): unknown {
  for (const path of paths) {
    const value = follow(event, path);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** The names of the steps, for telling which traits a rule uses; `*` where a path goes through all items. */
export function namesOf(path: Path): string[] {
  return path.map((part) => (part === each ? "*" : String(part)));
}

/** A bar inside of quotes belongs to a name. */
function alternatives(text: string): string[] {
  return text.split(/\s*\|\s*(?=\$)/);
}

function readPath(text: string): Path {
  const trimmed = text.trim();
  if (!trimmed.startsWith("$")) throw new Error(`must begin with $, as in $.traits.email, and is “${trimmed}”`);
  const steps: Step[] = [];
  let position = 1;
  while (position < trimmed.length) {
    step.lastIndex = position;
    const found = step.exec(trimmed);
    if (!found) throw new Error(`cannot be read from its character ${position + 1} on: “${trimmed.slice(position)}”`);
    const [, plain, single, double, index, all] = found;
    const quoted = single ?? double;
    if (all !== undefined) steps.push(each);
    else if (index !== undefined) steps.push(Number(index));
    else steps.push(plain ?? (quoted ?? "").replaceAll(/\\(.)/g, "$1"));
    position = step.lastIndex;
  }
  if (steps.length === 0) throw new Error("must name a part of the event, as in $.traits.email");
  if (steps.length > longest) throw new Error(`has ${steps.length} steps; at most ${longest} are followed`);
  return steps;
}

function follow(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return value;
  if (first === each) {
    if (!Array.isArray(value)) return undefined;
    const found = value.map((item) => follow(item, rest)).filter((item) => item !== undefined && item !== null);
    return found.length === 0 ? undefined : found;
  }
  if (typeof first === "number") return Array.isArray(value) ? follow(value[first], rest) : undefined;
  // What stands in an event is its own: never what every object has.
  if (value === null || typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, first))
    return undefined;
  return follow((value as Record<string, unknown>)[first], rest);
}
