export interface Deadline {
  signal: AbortSignal;
  /** To be called when what was to end in time has ended. */
  clear: () => void;
}

/**
 * A signal that aborts with a TimeoutError after so many milliseconds, or when `other` does, with its reason. Timer and listener
 * hold it: of what AbortSignal.any makes of a timeout, Node lets the timeout go while somebody still waits for it
 * (https://github.com/nodejs/node/issues/57736), and an answer that dribbles is read for ever.
 */
export function within(milliseconds: number, other?: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = () => controller.abort(other?.reason);
  const late = () => controller.abort(new DOMException(`not done within ${milliseconds} ms`, "TimeoutError"));
  const timer = setTimeout(late, milliseconds);
  other?.addEventListener("abort", abort, { once: true });
  if (other?.aborted) abort();
  const clear = () => {
    clearTimeout(timer);
    other?.removeEventListener("abort", abort);
  };
  return { signal: controller.signal, clear };
}
