"use client";

import { functionalUpdate, useTable } from "@tanstack/react-table";
import { useEffect, useMemo, useState } from "react";
import { columnDefs, type DataColumn, features } from "./columns.tsx";
import { clampWidth, parseSort, shownColumns, type TableView } from "./view.ts";

type Widths = Record<string, number>;

type Options<Row extends object> = {
  columns: readonly DataColumn<Row>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  view: TableView;
  onViewChange: (view: TableView) => void;
};

/** The table model: order, visibility, pinning, widths and sort from the view; a drag is a draft until it ends. */
export function useTableColumns<Row extends object>({ columns, rows, rowId, view, onViewChange }: Options<Row>) {
  const [draft, setDraft] = useState<Widths | null>(null);
  const shown = useMemo(() => shownColumns(columns, view.columns), [columns, view.columns]);
  const defs = useMemo(() => columnDefs(columns), [columns]);
  const widths = draft ?? view.widths;
  const sort = parseSort(view.sort);

  const table = useTable({
    features,
    columns: defs,
    data: rows as Row[],
    getRowId: rowId,
    manualSorting: true,
    enableMultiSort: false,
    columnResizeMode: "onChange",
    state: {
      sorting: sort ? [{ id: sort.id, desc: sort.descending }] : [],
      columnOrder: shown,
      columnVisibility: Object.fromEntries(columns.map(({ id }) => [id, shown.includes(id)])),
      columnPinning: { start: shown.slice(0, 1), end: [] },
      columnSizing: { ...widths },
    },
    onColumnSizingChange: (updater) => setDraft((before) => functionalUpdate(updater, { ...(before ?? view.widths) })),
  });

  const dragging = table.state.columnResizing.isResizingColumn !== false;
  useEffect(() => {
    if (dragging || !draft) return;
    setDraft(null);
    onViewChange({ ...view, widths: mapWidths(draft) });
  }, [dragging, draft, view, onViewChange]);

  return { table, shown, widths };
}

function mapWidths(widths: Widths): Widths {
  return Object.fromEntries(Object.entries(widths).map(([id, width]) => [id, clampWidth(width)]));
}
