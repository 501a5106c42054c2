import { AsyncLocalStorage } from "node:async_hooks";
import pino from "pino";

/** What stands where a secret stood. */
export const concealed = "[secret]";
const secretKeys = /authorization|cookie|credential|passw|secret|token|api_?key|write_?key|private_?key/i;

/** Shorter values would blot out ordinary words. */
const shortestSecret = 6;
/** Rotated tokens pile up in a process that lives for months; the oldest are no longer worth a search in each line. */
const mostPassing = 2000;

/** Each secret with the forms in which a line may hold it. */
type Secrets = Map<string, string[]>;

// The bundler may load this file more than once a process; what is secret, and the level, hold for all of it.
const home = globalThis as typeof globalThis & {
  bellwetherSecrets?: { lasting: Secrets; passing: Secrets };
  bellwetherLog?: pino.Logger;
  bellwetherRequests?: AsyncLocalStorage<{ requestId: string }>;
};

home.bellwetherSecrets ??= { lasting: new Map(), passing: new Map() };
const secrets = home.bellwetherSecrets;
home.bellwetherRequests ??= new AsyncLocalStorage();
const requests = home.bellwetherRequests;

/** Every line that is logged inside of `work`, by whichever logger and however deep, carries the request's id. */
export function servingRequest<T>(requestId: string, work: () => T): T {
  return requests.run({ requestId }, work);
}

/** For what a request sets off and does not wait for: its lines would carry the id for as long as the process lives. */
export function apart<T>(work: () => T): T {
  return requests.exit(work);
}

/**
 * From now on these values are removed from every line, whatever they are called and wherever they stand (row 115):
 * `lasting` ones, those of the configuration, for good; of the others the latest named.
 */
export function registerSecrets(values: Iterable<string>, kind: "lasting" | "passing" = "passing"): void {
  const known = secrets[kind];
  for (const value of values) {
    if (value.length < shortestSecret) continue;
    const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
    known.delete(value); // named again, it stands last again
    known.set(value, [...new Set(forms)]);
    const oldest = secrets.passing.keys().next();
    if (secrets.passing.size > mostPassing && !oldest.done) secrets.passing.delete(oldest.value);
  }
}

/** A logger of JSON lines; `write` receives each line, cleaned and ending in a line feed. */
export function openLog(write: (line: string) => void, level: pino.LevelWithSilent = "info"): pino.Logger {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }), bindings: concealKeys, log: concealKeys },
    serializers: { err: describeError },
    mixin: () => requests.getStore() ?? {},
  };
  return pino(options, { write: (line) => write(escapeControls(concealValues(line))) });
}

home.bellwetherLog ??= openStandardOutput();

/** The process's log. The context sets its level. */
export const log = home.bellwetherLog;

function openStandardOutput(): pino.Logger {
  const stdout = pino.destination({ dest: 1, sync: true });
  stdout.on("error", () => {}); // whoever read our output is gone: no reason to die
  return openLog((line) => stdout.write(line));
}

/** The text without any registered secret: for words of others that are kept or shown, such as an error of Zendesk's. */
export function concealValues(text: string): string {
  return withoutForms(text, secretForms());
}

const secretForms = () => [...secrets.lasting.values(), ...secrets.passing.values()].flat();

function withoutForms(text: string, forms: readonly string[]): string {
  let clean = text;
  for (const form of forms) {
    if (clean.includes(form)) clean = clean.replaceAll(form, concealed);
  }
  return clean;
}

const jsonValues = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/** JSON without any registered secret, as JSON: a text or a number of which one is a part becomes a text without it. */
export function concealJson(json: string): string {
  const forms = secretForms();
  if (!forms.some((form) => json.includes(form))) return json;
  const plain = (written: string) => (written.startsWith('"') ? (JSON.parse(written) as string) : written);
  // All values at once: thousands of secrets are not looked for in each of thousands of values.
  const values = Array.from(json.matchAll(jsonValues), ([written]) => plain(written)).join("\n");
  const found = forms.filter((form) => values.includes(form));
  return json.replace(jsonValues, (written) => {
    const value = plain(written);
    const clean = withoutForms(value, found);
    return clean === value ? written : JSON.stringify(clean);
  });
}

/** JSON escapes the C0 range only; DEL, C1 (terminals obey U+009B), line separators and bidi marks forge lines too (row 118). */
function escapeControls(line: string): string {
  return line.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Libraries hang their clients and sockets on errors: of what an error carries, only plain values are told. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return conceal(error, 0);
  const { name: type, message, stack, cause } = error;
  // What an error calls its data is what somebody sent, not what went wrong.
  const told = Object.entries(error).filter(
    ([key, value]) => key !== "data" && (typeof value !== "object" || isPlain(value)),
  );
  return {
    type,
    message,
    stack,
    ...concealKeys(Object.fromEntries(told)),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

function concealKeys<Value extends object>(value: Value): Value {
  return conceal(value, 0) as Value;
}

function conceal(value: unknown, depth: number): unknown {
  if (Array.isArray(value)) return depth > 6 ? "[…]" : value.map((item) => conceal(item, depth + 1));
  if (!isPlain(value)) return value;
  if (depth > 6) return "{…}";
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      // A header may come as a list of its values.
      (typeof inner === "string" || Array.isArray(inner)) && secretKeys.test(key)
        ? concealed
        : conceal(inner, depth + 1),
    ]),
  );
}

/** Errors, dates and buffers have serializers of their own. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
