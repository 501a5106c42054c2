"use client";

import { useSyncExternalStore } from "react";

const TICK_MS = 30_000;
const listeners = new Set<() => void>();
let now: Date | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

function tick() {
  now = new Date();
  for (const listener of listeners) listener();
}

function subscribe(onTick: () => void) {
  listeners.add(onTick);
  if (timer === undefined) timer = setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(onTick);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
    now = null;
  };
}

function current(): Date {
  now ??= new Date();
  return now;
}

/** The present, renewed twice a minute by one timer for the whole page; null until the browser has taken over. */
export function useNow(): Date | null {
  return useSyncExternalStore<Date | null>(subscribe, current, () => null);
}
