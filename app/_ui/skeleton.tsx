import { cn } from "./class-names.ts";

/** A grey shape where something will stand. Give it the final size. Silent: the wrapper announces the wait. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cn("block h-3 animate-shimmer rounded bg-line", className)} />;
}

/** Several lines of text to come. */
export function SkeletonLines({ lines = 3, className }: { lines?: number; className?: string }) {
  const widths = ["w-11/12", "w-3/4", "w-5/6", "w-2/3"];
  return (
    <span className={cn("flex flex-col gap-3", className)}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are alike and never move
        <Skeleton key={line} className={widths[line % widths.length]} />
      ))}
    </span>
  );
}
