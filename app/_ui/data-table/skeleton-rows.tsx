import { Skeleton } from "../skeleton.tsx";
import type { ColumnOutline } from "./view.ts";

type SkeletonRowsProps = {
  columns: readonly (ColumnOutline & { align?: "start" | "end" })[];
  height: number;
  count?: number;
};

/** Rows to come, in their final height and columns. */
export function SkeletonRows({ columns, height, count = 14 }: SkeletonRowsProps) {
  return Array.from({ length: count }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the rows are alike and never move
    <tr key={row} aria-hidden style={{ height }}>
      {columns.map((column, at) => (
        <td
          key={column.id}
          className={
            at === 0
              ? "sticky left-0 z-[5] border-e border-b border-line bg-canvas ps-4 pe-2"
              : "border-b border-line px-2"
          }
        >
          <Skeleton className={at === 0 ? "w-2/3" : column.align === "end" ? "ms-auto w-8" : "w-3/4"} />
        </td>
      ))}
    </tr>
  ));
}
