import path from "node:path";

/** What the commands beside `npm start` have in common. */

/** What was typed. Ends the process with the usage where that is asked for or needed. */
export function given(rules: { least?: number; most: number; flags: string[]; usage: string }): {
  names: string[];
  flags: string[];
} {
  const args = process.argv.slice(2);
  const flags = args.filter((arg) => arg.startsWith("-"));
  const names = args.filter((arg) => !arg.startsWith("-"));
  const isHelp = flags.some((flag) => flag === "--help" || flag === "-h");
  const isWrong =
    flags.some((flag) => !rules.flags.includes(flag)) || names.length > rules.most || names.length < (rules.least ?? 0);
  if (isHelp || isWrong) {
    (isHelp ? process.stdout : process.stderr).write(`${rules.usage}\n`);
    process.exit(isHelp ? 0 : 2);
  }
  return { names, flags };
}

/** The project's folder, from which DATA_DIR counts, and the one in which the command was typed. */
export function hereAndThere(): { root: string; here: string } {
  return { root: path.resolve(import.meta.dirname, "..", ".."), here: process.env.INIT_CWD ?? process.cwd() };
}

/** Aborted by Ctrl-C and its like, so that the work undoes what it began and lets go of the database. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => controller.abort(new Error("Broken off; nothing was changed.")));
  }
  return controller.signal;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function fail(error: unknown): void {
  const { message = "", code = "" } = error as { message?: string; code?: string };
  process.stderr.write(`${message || code || String(error)}\n`);
  process.exitCode = 1;
}
