import { describe, expect, it } from "vitest";
import { MemoryLimiter } from "#lib/zendesk/limits.ts";

function limiterAt(documentedLimits: boolean) {
  let now = 0;
  const limiter = new MemoryLimiter({ documentedLimits, now: () => now });
  return { limiter, advance: (milliseconds: number) => (now += milliseconds), now: () => now };
}

/** Sends as fast as the limiter lets it, for a while; gives the instants. */
async function sendFor(
  clock: ReturnType<typeof limiterAt>,
  endpoint: "incremental" | "incremental_users" | "list",
  until: number,
) {
  const sent: number[] = [];
  while (clock.now() < until) {
    const wait = await clock.limiter.take(endpoint);
    if (wait === 0) sent.push(clock.now());
    clock.advance(Math.max(1, Math.ceil(wait)));
  }
  return sent;
}

const mostIn = (sent: number[], window: number) =>
  Math.max(...sent.map((start) => sent.filter((at) => at >= start && at < start + window).length));

describe("the limiter", () => {
  it("stays below the documented limits, less the share left to others, before anything is announced", async () => {
    const clock = limiterAt(true);
    const sent = await sendFor(clock, "incremental", 600_000);
    const inWindows = Array.from(
      { length: 10 },
      (_, n) => sent.filter((at) => at >= n * 60_000 && at < (n + 1) * 60_000).length,
    );
    expect(Math.max(...inWindows)).toBeLessThanOrEqual(8);
    expect(sent.length).toBeGreaterThan(60);
  });

  it("does not pace ahead where nothing is documented or announced", async () => {
    const clock = limiterAt(false);
    for (let n = 0; n < 5000; n++) expect(await clock.limiter.take("incremental")).toBe(0);
  });

  it("puts announced limits in place of the documented ones", async () => {
    const clock = limiterAt(true);
    await clock.limiter.learn("incremental", {
      "zendesk-ratelimit-incremental-exports": "total=1000; remaining=999; resets=60",
    });
    await clock.limiter.learn("incremental", { "x-rate-limit": "70000", "x-rate-limit-remaining": "69999" });
    const sent = await sendFor(clock, "incremental", 60_000);
    expect(sent.length).toBeGreaterThan(500);
    expect(sent.length).toBeLessThanOrEqual(800);
  });

  it("leaves a neighbour's share alone: what remains counts, not what we sent", async () => {
    const clock = limiterAt(false);
    await clock.limiter.learn("incremental", {
      "zendesk-ratelimit-incremental-exports": "total=10; remaining=3; resets=30",
    });
    expect((await sendFor(clock, "incremental", 30_000)).length).toBeLessThanOrEqual(1);
  });

  it("keeps one bucket's exhaustion from others", async () => {
    const clock = limiterAt(true);
    await clock.limiter.learn("incremental", {
      "zendesk-ratelimit-incremental-exports": "total=10; remaining=0; resets=50",
    });
    expect(await clock.limiter.take("incremental")).toBeGreaterThan(0);
    expect(await clock.limiter.take("incremental_users")).toBe(0);
    expect(await clock.limiter.take("list")).toBe(0);
  });

  it("sends nothing while blocked, and half as much for an hour after a refusal at the edge", async () => {
    const clock = limiterAt(false);
    const announce = () =>
      clock.limiter.learn("list", { "ratelimit-limit": "100", "ratelimit-remaining": "100", "ratelimit-reset": "60" });
    await announce();
    await clock.limiter.block(5000, true);
    expect(await clock.limiter.take("list")).toBe(5000);
    clock.advance(5000);
    const sent = await sendFor(clock, "list", 60_000);
    expect(mostIn(sent, 55_000)).toBeLessThanOrEqual(40);
  });
});
