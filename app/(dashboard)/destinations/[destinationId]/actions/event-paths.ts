const MOST = 200;
const DEEPEST = 5;

/** Where the values of an event stand, as paths that mappings and conditions take: what the editors offer. */
export function pathsIn(event: unknown): string[] {
  const paths: string[] = [];
  const walk = (value: unknown, path: string, depth: number) => {
    if (paths.length >= MOST) return;
    if (typeof value !== "object" || value === null || Array.isArray(value) || depth === DEEPEST) {
      paths.push(path);
      return;
    }
    for (const [name, inner] of Object.entries(value)) walk(inner, `${path}${stepTo(name)}`, depth + 1);
  };
  walk(event, "$", 0);
  return paths.filter((path) => path !== "$");
}

/** `.email`, or `['first name']` where the name is no plain word. */
export function stepTo(name: string): string {
  if (/^[^\s.[\]|'"\\]+$/.test(name)) return `.${name}`;
  return `['${name.replaceAll(/[\\']/g, "\\$&")}']`;
}
