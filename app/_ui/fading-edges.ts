"use client";

import { type RefCallback, useCallback, useEffect, useRef } from "react";

/** Where there is more beyond an edge, the content fades towards it. */
export const fadingEdges =
  "overflow-x-auto data-[more=right]:[mask-image:linear-gradient(to_left,transparent,black_3rem)] data-[more=left]:[mask-image:linear-gradient(to_right,transparent,black_3rem)] data-[more=both]:[mask-image:linear-gradient(to_right,transparent,black_3rem,black_calc(100%-3rem),transparent)]";

/** For the `ref` of an element that scrolls sideways and bears `fadingEdges`: tells it on which sides there is more. */
export function useFadingEdges(): RefCallback<HTMLElement> {
  return useCallback((element: HTMLElement | null) => {
    if (!element) return;
    const look = () => {
      const beyond = element.scrollWidth - element.clientWidth;
      const from = Math.abs(element.scrollLeft);
      const left = from > 1;
      const right = from < beyond - 1;
      element.dataset.more = left && right ? "both" : left ? "left" : right ? "right" : "none";
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = typeof ResizeObserver === "undefined" ? null : new ResizeObserver(look);
    sizes?.observe(element);
    for (const child of element.children) sizes?.observe(child);
    return () => {
      element.removeEventListener("scroll", look);
      sizes?.disconnect();
    };
  }, []);
}

/** The same for a strip of choices: the one that `chosen` selects is seen, also where there is no room for all. */
export function useChosenInView(chosen: string): RefCallback<HTMLElement> {
  const strip = useRef<HTMLElement | null>(null);
  const edges = useFadingEdges();
  useEffect(() => {
    const choice = strip.current?.querySelector(chosen);
    if (strip.current && choice) toMiddle(strip.current, choice);
  }, [chosen]);
  return useCallback(
    (element: HTMLElement | null) => {
      strip.current = element;
      return edges(element);
    },
    [edges],
  );
}

/** Not `scrollIntoView`, which would scroll the page around the strip too. */
function toMiddle(strip: HTMLElement, choice: Element) {
  const { left, width } = strip.getBoundingClientRect();
  const of = choice.getBoundingClientRect();
  strip.scrollLeft += of.left + of.width / 2 - (left + width / 2);
}
