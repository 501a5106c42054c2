/** Seeded pseudo-random numbers: the same seed gives the same world on every machine. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** One of `items` with the given relative weights. */
  weighted<T>(items: readonly (readonly [T, number])[]): T;
  /** Exponentially distributed around `mean`. */
  exponential(mean: number): number;
  /** An independent sequence that does not depend on how far this one has gone. */
  fork(name: string): Random;
}

/** mulberry32: 32 bits of state, fast, good enough for made-up companies. */
export function seededRandom(seed: number | string): Random {
  const origin = typeof seed === "number" ? seed >>> 0 : hashText(seed);
  let state = origin;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const pick = <T>(items: readonly T[]): T => {
    const item = items[Math.floor(next() * items.length)];
    if (item === undefined) throw new Error("Nothing to pick from");
    return item;
  };
  return {
    next,
    pick,
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
    chance: (probability) => next() < probability,
    weighted: (items) => {
      let rest = next() * items.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [item, weight] of items) {
        rest -= weight;
        if (rest < 0) return item;
      }
      return pick(items)[0];
    },
    exponential: (mean) => -Math.log(1 - next()) * mean,
    fork: (name) => seededRandom(hashText(`${origin}:${name}`)),
  };
}

/** FNV-1a, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}
