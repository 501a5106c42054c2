import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { within } from "#lib/zendesk/deadline.ts";

/** Resolves with why it aborted; false when it has not within a second. */
const heard = (signal: AbortSignal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 1_000, false);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(signal.reason);
    });
  });

/** Only the signal is kept, as by whoever waits with it. */
const listening = (other: AbortSignal) => heard(within(100, other).signal);

describe("a deadline", () => {
  it("comes though memory is cleared up meanwhile (row 70)", async () => {
    setFlagsFromString("--expose-gc");
    const collect = setInterval(runInNewContext("gc") as () => void, 20);
    try {
      expect(await listening(new AbortController().signal)).toMatchObject({ name: "TimeoutError" });
    } finally {
      clearInterval(collect);
    }
  });

  it("comes early where somebody stops what waits, before or meanwhile, with the reason", async () => {
    expect(within(100, AbortSignal.abort("before")).signal).toMatchObject({ aborted: true, reason: "before" });
    const other = new AbortController();
    const waits = listening(other.signal);
    other.abort("meanwhile");
    expect(await waits).toBe("meanwhile");
  });

  it("does not come when it was cleared", async () => {
    const other = new AbortController();
    const { signal, clear } = within(20, other.signal);
    clear();
    other.abort();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(signal.aborted).toBe(false);
  });
});
