"use client";

import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { cn } from "../class-names.ts";

/** Space that the drawing leaves for its axes, in px: the strip lies exactly over the rest. */
export const PLOT = { left: 44, right: 8, top: 8, bottom: 22 } as const;

type StripPoint = {
  key: string;
  /** The whole point in words. */
  name: string;
  /** What hover and focus show. */
  tip: ReactNode;
};

type PointStripProps = {
  label: string;
  points: readonly StripPoint[];
  /** Opens what stands behind the point at this index. */
  onSelect?: (index: number) => void;
};

/**
 * What makes a drawing usable: one button over each point, with the same tip on hover and focus. One tab stop; ← and →
 * move, Home and End jump, Enter opens.
 */
export function PointStrip({ label, points, onSelect }: PointStripProps) {
  const strip = useRef<HTMLFieldSetElement>(null);
  const [stop, setStop] = useState(points.length - 1);
  const [shown, setShown] = useState<number | null>(null);
  const current = Math.max(0, Math.min(stop, points.length - 1));

  const move = (event: KeyboardEvent) => {
    const next = { ArrowLeft: current - 1, ArrowRight: current + 1, Home: 0, End: points.length - 1 }[event.key];
    if (event.key === "Escape" && shown !== null) {
      event.stopPropagation();
      setShown(null);
    }
    if (next === undefined || next < 0 || next >= points.length) return;
    event.preventDefault();
    setStop(next);
    strip.current?.querySelectorAll("button")[next]?.focus();
  };

  return (
    <fieldset
      ref={strip}
      aria-label={label}
      onKeyDown={move}
      onMouseLeave={() => setShown(null)}
      className="absolute m-0 grid min-w-0 border-0 p-0"
      style={{
        left: PLOT.left,
        right: PLOT.right,
        top: PLOT.top,
        bottom: PLOT.bottom,
        gridTemplateColumns: `repeat(${points.length}, minmax(0, 1fr))`,
      }}
    >
      {points.map((point, at) => (
        <div key={point.key} className="relative">
          <button
            type="button"
            aria-label={point.name}
            tabIndex={at === current ? 0 : -1}
            onMouseEnter={() => setShown(at)}
            onFocus={() => {
              setStop(at);
              setShown(at);
            }}
            onBlur={() => setShown(null)}
            onClick={() => (onSelect ? onSelect(at) : setShown(at))}
            className={cn(
              "absolute inset-0 rounded-sm outline-offset-0",
              shown === at && "bg-ink/6",
              !onSelect && "cursor-default!",
            )}
          />
          {shown === at && (
            <div
              aria-hidden
              className={cn(
                "pointer-events-none absolute bottom-full z-10 mb-1 w-max max-w-64 rounded-control bg-floating px-2 py-1.5 text-small shadow-floating",
                at < points.length / 3
                  ? "left-0"
                  : at < (points.length * 2) / 3
                    ? "left-1/2 -translate-x-1/2"
                    : "right-0",
              )}
            >
              {point.tip}
            </div>
          )}
        </div>
      ))}
    </fieldset>
  );
}
