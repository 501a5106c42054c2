import { type Context, type FilterImplOptions, Liquid, type Template } from "liquidjs";
import type { TemplateTime } from "#lib/destinations/template-time.ts";

/**
 * Liquid without files, without what other objects inherit, and with limits: a template can neither read anything but the
 * event nor keep the process busy. Nothing is escaped: the values are no markup.
 */
const engine = new Liquid({
  templates: {},
  strictFilters: true,
  ownPropertyOnly: true,
  parseLimit: 5_000,
  // Characters that filters take and templates write, and items of lists and ranges: in all, however soon forgotten.
  memoryLimit: 400_000,
  timezoneOffset: 0,
  locale: "en-US",
});
for (const tag of ["include", "render", "layout", "block"]) delete engine.tags[tag];
// A replay makes of an event what the first try made of it: nothing by chance, nothing by the clock.
delete engine.filters.sample;
const date = engine.filters.date;
engine.registerFilter("date", function (value: unknown, ...rest: unknown[]) {
  if (value === "now" || value === "today") throw new Error("templates know no clock: take {{ timestamp }}");
  return (date as (this: unknown, ...all: unknown[]) => unknown).call(this, value, ...rest);
});

// Filters count the items of a list, and not the long texts in it that they join or compare.
type FilterFunction = Extract<FilterImplOptions, (...all: never[]) => unknown>;
for (const [name, filter] of Object.entries(engine.filters)) {
  const apply = typeof filter === "function" ? filter : filter?.handler;
  if (!apply) continue;
  const handler: FilterFunction = function (value, ...rest) {
    if (Array.isArray(value)) charge(this.context, value);
    return apply.call(this, value, ...rest);
  };
  engine.registerFilter(name, typeof filter === "function" ? handler : { raw: filter?.raw ?? false, handler });
}

// What is written is not counted either, neither into the text nor into a {% capture %}.
const { renderer } = engine;
const render = renderer.renderTemplates.bind(renderer);
renderer.renderTemplates = (parts, context, emitter = writerOf(context)) => render(parts, context, emitter);

interface Compiled {
  parts: Template[];
  reads: string[][];
  /** Only names of parts of the event, with others for where they are missing: nothing to be bounded. */
  isPlain: boolean;
}

/** Templates as they were parsed, by their text: the same for every account. */
const templates = new Map<string, Compiled>();
const mostTemplates = 1_000;
const plain = /^(?:[^{]|\{\{\s*[\w.]+(?:\s*\|\s*default:\s*[\w.]+)*\s*\}\})*$/;

/**
 * The text that a template makes of an event, at the cost of `time`. Throws an Error with the line and column where it
 * fails, or that says that there was no time.
 */
export function renderTemplate(template: string, event: Readonly<Record<string, unknown>>, time: TemplateTime): string {
  const { parts, isPlain } = compiled(template, time);
  // A copy: {% increment %} counts in the event itself.
  const work = () => String(engine.renderSync(parts, { ...event }));
  const text = isPlain ? work() : time.spend(work);
  if (text.includes("[object Object]")) throw new Error("the template writes an object: name one of its parts");
  // Parts that are missing leave their blanks behind.
  return text.trim().replaceAll(/ {2,}/g, " ");
}

/** The parts of an event that a template reads, by their names from the top. Throws as a template that cannot be read. */
export function templateReads(template: string, time: TemplateTime): readonly string[][] {
  return compiled(template, time).reads;
}

function compiled(template: string, time: TemplateTime): Compiled {
  const known = templates.get(template);
  if (known) return known;
  const fresh = time.spend(() => {
    const parts = engine.parse(template);
    const reads = engine.globalVariableSegmentsSync(parts).map((path) => path.map(String));
    return { parts, reads, isPlain: plain.test(template) };
  });
  if (templates.size >= mostTemplates) templates.clear();
  templates.set(template, fresh);
  return fresh;
}

function writerOf(context: Context) {
  return {
    buffer: "",
    write(value: unknown) {
      charge(context, value);
      this.buffer += written(value);
    },
  };
}

/** Counts the characters of a text, or of all texts in a list, before anything is made of them. */
function charge(context: Context, value: unknown): void {
  if (Array.isArray(value)) for (const item of value) charge(context, item);
  else context.memoryLimit.use(typeof value === "string" ? value.length : 1);
}

function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join("");
  return value === undefined || value === null ? "" : String(value);
}
