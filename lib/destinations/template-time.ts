import { createContext, Script } from "node:vm";

/**
 * Of one template, and of all those of an event or a preview together. A sound one takes less than a hundredth of it: a machine
 * that is busy elsewhere must not make it fail.
 */
const mostMs = { one: 400, all: 800 };

/**
 * Mapping takes so long of one transaction and no more, in milliseconds: who stops or changes a destination waits for it. A
 * stop has to be honoured within 5 s (row 103).
 */
const longestTurn = 1000;
/** What kept the process busy for longer than this is followed by a pause of a quarter of it. Milliseconds. */
const noticeable = 20;

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

/** Maps one after the other, at least one, until a transaction has had its share of the time; gives how many were mapped. */
export async function mapInTurn<T>(all: readonly T[], map: (one: T) => Promise<void>): Promise<number> {
  const began = performance.now();
  let done = 0;
  for (const one of all) {
    const started = performance.now();
    if (started - began >= longestTurn) break;
    await map(one);
    done++;
    await letOthersGo(performance.now() - started);
  }
  return done;
}

/**
 * Templates may take their time: whoever else has something to do gets a turn between two events. After a slow one a single
 * turn would not do, since each question to the database takes one.
 */
function letOthersGo(after: number): Promise<unknown> {
  return new Promise((resolve) => (after > noticeable ? setTimeout(resolve, after / 4) : setImmediate(resolve)));
}

const isTimeout = (error: unknown) =>
  typeof error === "object" && error !== null && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
