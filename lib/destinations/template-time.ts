import { createContext, Script } from "node:vm";

/**
 * Of one template, and of all those of an event or a preview together. A sound one takes less than a hundredth of it: a machine
 * that is busy elsewhere must not make it fail.
 */
const mostMs = { one: 400, all: 800 };

const room = createContext({ work: null as (() => unknown) | null });
const script = new Script("work()");

/**
 * What the templates of an event, or of a preview, may take in all. A template can be written so that it keeps the process
 * busy between any two places where its language looks at the clock: here it is stopped from outside, wherever it is.
 */
export class TemplateTime {
  private leftMs = mostMs.all;

  /** What `work` gives; of it nothing may be kept if it fails. Throws an Error with words for whoever wrote the template. */
  spend<T>(work: () => T): T {
    if (this.leftMs < 1) {
      throw new Error(`was not tried: the templates before it took the ${mostMs.all} ms that they have together`);
    }
    const started = performance.now();
    const timeout = Math.ceil(Math.min(mostMs.one, this.leftMs));
    try {
      room.work = work;
      return script.runInContext(room, { timeout }) as T;
    } catch (error) {
      if (!isTimeout(error)) throw error;
      throw new Error(`takes too long: a template has ${mostMs.one} ms, and all together have ${mostMs.all} ms`);
    } finally {
      room.work = null;
      this.leftMs -= performance.now() - started;
    }
  }
}

const isTimeout = (error: unknown) =>
  typeof error === "object" && error !== null && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
