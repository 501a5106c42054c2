import {
  type ColumnDef,
  columnOrderingFeature,
  columnPinningFeature,
  columnResizingFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  rowSortingFeature,
  tableFeatures,
} from "@tanstack/react-table";
import type { ReactNode } from "react";
import { type ColumnOutline, MAX_WIDTH, MIN_WIDTH } from "./view.ts";

/** One column, declared. The first of a table is its row header: always shown, pinned at the left. */
export type DataColumn<Row> = ColumnOutline & {
  cell: (row: Row) => ReactNode;
  /** Numbers stand at the end, words at the start (the default). */
  align?: "start" | "end";
  /** More words on the header than it has room for, as a tooltip. */
  description?: string;
};

export const features = tableFeatures({
  columnOrderingFeature,
  columnVisibilityFeature,
  columnPinningFeature,
  columnSizingFeature,
  columnResizingFeature,
  rowSortingFeature,
});

/** Our declaration in the words of the table library. */
export function columnDefs<Row extends object>(
  columns: readonly DataColumn<Row>[],
): ColumnDef<typeof features, Row, unknown>[] {
  return columns.map((column) => ({
    id: column.id,
    accessorFn: (row: Row) => row,
    header: column.header,
    cell: ({ row }) => column.cell(row.original),
    size: column.width ?? 96,
    minSize: MIN_WIDTH,
    maxSize: MAX_WIDTH,
    enableSorting: column.sortable ?? false,
  }));
}
