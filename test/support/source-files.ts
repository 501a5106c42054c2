import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export interface Import {
  /** `lib/auth/roles.ts` for a file of ours, whatever way it is written; else the package as it is named (`next/headers`). */
  target: string;
  /** Nothing of it is left when the program runs. */
  typeOnly: boolean;
}

export interface SourceFile {
  /** From the root of the project: `lib/auth/roles.ts`. */
  file: string;
  text: string;
  /** Begins with "use client". */
  isClient: boolean;
  imports: Import[];
}

const root = path.resolve(import.meta.dirname, "../..");
const folders = ["app", "lib", "db", "test"];

/** Every source file of the project, with what it imports. */
export function readSourceFiles(): SourceFile[] {
  const atRoot = readdirSync(root).filter((file) => isSource(file));
  const inFolders = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
      .filter(isSource)
      .map((file) => path.posix.join(folder, file.split(path.sep).join("/"))),
  );
  return [...atRoot, ...inFolders].map((file) => sourceFile(file, readFileSync(path.join(root, file), "utf8")));
}

export function sourceFile(file: string, text: string): SourceFile {
  const code = withoutComments(text);
  return { file, text: code, isClient: /^\s*["']use client["']/.test(code), imports: importsOf(file, code) };
}

function isSource(file: string): boolean {
  return /\.(ts|tsx|mjs)$/.test(file) && !file.endsWith(".d.ts");
}

/** Comments may name what code may not do. Strings keep what looks like a comment in an address (`https://`). */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*/g,
    (_, string) => string ?? "",
  );
}

function importsOf(file: string, code: string): Import[] {
  const found: Import[] = [];
  const statement = /(?:^|[;\n])\s*(?:import|export)\s+(type\s+)?(?:([\w*{}\s,$]+?)\s+from\s+)?["']([^"']+)["']/g;
  for (const [, type, names, target] of code.matchAll(statement)) {
    found.push({ target: resolve(file, target ?? ""), typeOnly: type !== undefined || namesTypesOnly(names) });
  }
  for (const [, target] of code.matchAll(/\bimport\(\s*["']([^"']+)["']/g)) {
    found.push({ target: resolve(file, target ?? ""), typeOnly: false });
  }
  return found;
}

/** `{ type A, type B }` */
function namesTypesOnly(names: string | undefined): boolean {
  const inBraces = names?.match(/^\{([^}]*)\}$/)?.[1];
  const each =
    inBraces
      ?.split(",")
      .map((part) => part.trim())
      .filter(Boolean) ?? [];
  return each.length > 0 && each.every((part) => part.startsWith("type "));
}

function resolve(file: string, target: string): string {
  if (target.startsWith("#")) return target.slice(1);
  if (!target.startsWith(".")) return target;
  const joined = path.posix.join(path.posix.dirname(file), target);
  return path.posix.extname(joined) ? joined : `${joined}.ts`;
}
